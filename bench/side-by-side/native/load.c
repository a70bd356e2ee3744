/*
 * Load generator of the benchmark: one thread, HTTP/1.1 over loopback, answers of any framing, marks of time in streams.
 *
 *   load PORT REQUEST_FILE CONNECTIONS SECONDS RATE MOST_REQUESTS
 *
 * REQUEST_FILE holds one raw request. RATE 0: each connection asks again as soon as it was answered. Otherwise so many
 * requests a second are due whatever comes back, and latency counts from when a request was due. MOST_REQUESTS 0: no limit.
 * SIGTERM ends it before its time. Prints one line of JSON, times in microseconds.
 */
#define _GNU_SOURCE
#include "answer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct {
  int fd, is_asking;
  size_t sent;
  uint64_t since;
  answer reads;
} connection;

static connection *connections;
static int *idle, idle_count, connection_count, port, poller, is_waiting_for_room;
static char *request;
static size_t request_length;
static uint64_t deadline;
static long started, most_requests, good, bad, reconnects;
static double rate;
static series latencies;
static char failure[160];
static volatile sig_atomic_t is_told_to_end;

static int ascending(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static void sort(series *of) { qsort(of->values, of->count, sizeof *of->values, ascending); }

static double at(const series *of, double share) {
  return of->count ? of->values[(size_t)(share * (double)(of->count - 1) + 0.5)] / 1000.0 : 0;
}

static void watch(connection *each, int operation, uint32_t events) {
  struct epoll_event event = {events, {.ptr = each}};
  epoll_ctl(poller, operation, each->fd, &event);
}

static void hang_up(connection *each) {
  if (each->fd >= 0) close(each->fd);
  each->fd = -1;
}

static int dial(connection *each) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  each->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (each->fd < 0 || connect(each->fd, (struct sockaddr *)&to, sizeof to)) {
    hang_up(each);
    return 0;
  }
  setsockopt(each->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(each->fd, F_SETFL, O_NONBLOCK);
  watch(each, EPOLL_CTL_ADD, EPOLLIN);
  return 1;
}

static void write_request(connection *each) {
  while (each->sent < request_length) {
    ssize_t written = send(each->fd, request + each->sent, request_length - each->sent, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EAGAIN) watch(each, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      return;
    }
    each->sent += (size_t)written;
  }
  if (is_waiting_for_room) watch(each, EPOLL_CTL_MOD, EPOLLIN);
}

static void end_soon(int signal) {
  (void)signal;
  is_told_to_end = 1;
}

static int is_over(void) {
  return is_told_to_end || (most_requests && started >= most_requests) || now() >= deadline;
}

static void rest(connection *each) {
  each->is_asking = 0;
  idle[idle_count++] = (int)(each - connections);
}

static void fail(connection *each, const char *why) {
  bad++;
  if (!failure[0]) snprintf(failure, sizeof failure, "%s", why);
  hang_up(each);
}

static void ask(connection *each, uint64_t due) {
  started++;
  if (each->fd < 0) {
    reconnects++;
    if (!dial(each)) {
      fail(each, "it does not accept connections");
      rest(each);
      return;
    }
  }
  each->is_asking = 1;
  each->sent = 0;
  each->since = due;
  answer_begin(&each->reads);
  write_request(each);
}

static void ask_again(connection *each) {
  if (rate > 0 || is_over())
    rest(each);
  else
    ask(each, now());
}

static void answered(connection *each) {
  int status = each->reads.status;
  add(&latencies, now() - each->since);
  if (status >= 200 && status < 300)
    good++;
  else {
    bad++;
    if (!failure[0]) snprintf(failure, sizeof failure, "status %d", status);
  }
  if (each->reads.closes) hang_up(each);
  ask_again(each);
}

static void closed(connection *each) {
  hang_up(each);
  if (!each->is_asking) return;
  if (each->reads.state == UNTIL_CLOSE)
    answered(each);
  else {
    fail(each, "it closed a connection before the answer was whole");
    ask_again(each);
  }
}

static void readable(connection *each) {
  static char bytes[1 << 18];
  ssize_t count = recv(each->fd, bytes, sizeof bytes, 0);
  if (count <= 0) {
    if (count == 0 || errno != EAGAIN) closed(each);
    return;
  }
  if (!each->is_asking) return;
  answer_feed(&each->reads, bytes, (size_t)count, each->since);
  if (each->reads.state == WHOLE) answered(each);
  if (each->reads.state == BROKEN) {
    fail(each, "a head of more than 8 KB");
    ask_again(each);
  }
}

/* Sends what is due by now, and sets the clock for what is due next. */
static void send_due(uint64_t begun, int clock) {
  static uint64_t count;
  uint64_t due = begun + (uint64_t)((double)count * 1e9 / rate);
  while (due <= now() && idle_count && !is_over()) {
    ask(&connections[idle[--idle_count]], due);
    due = begun + (uint64_t)((double)++count * 1e9 / rate);
  }
  /* Without an idle connection, an answer is what it waits for. */
  struct itimerspec next = {0};
  if (idle_count && due < deadline) next.it_value = (struct timespec){(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
  timerfd_settime(clock, TFD_TIMER_ABSTIME, &next, NULL);
}

static void run(uint64_t begun) {
  /* What is under way at the end may still be answered, but not forever. */
  uint64_t patience = deadline + 20000000000u;
  int clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event events[512], ticking = {EPOLLIN, {.ptr = NULL}};
  epoll_ctl(poller, EPOLL_CTL_ADD, clock, &ticking);
  while (idle_count < connection_count || !is_over()) {
    if (now() > patience) return;
    if (rate > 0) send_due(begun, clock);
    int count = epoll_wait(poller, events, 512, 50);
    for (int index = 0; index < count; index++) {
      connection *each = events[index].data.ptr;
      uint64_t ticks;
      if (!each) {
        if (read(clock, &ticks, sizeof ticks) < 0) continue;
      } else if (each->fd >= 0) {
        if (events[index].events & EPOLLOUT) write_request(each);
        if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(each);
      }
    }
  }
}

static void print(double seconds) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  sort(&latencies);
  sort(&first_bytes);
  sort(&chunk_delays);
  double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"seconds\":%.4f,\"good\":%ld,\"bad\":%ld,\"unanswered\":%d,\"reconnects\":%ld,\"failure\":\"%s\",", seconds,
         good, bad, connection_count - idle_count, reconnects, failure);
  printf("\"p50\":%.1f,\"p99\":%.1f,\"longest\":%.1f,\"firstP50\":%.1f,\"firstP99\":%.1f,", at(&latencies, 0.5),
         at(&latencies, 0.99), at(&latencies, 1), at(&first_bytes, 0.5), at(&first_bytes, 0.99));
  printf("\"chunks\":%zu,\"chunkP50\":%.1f,\"chunkP99\":%.1f,\"cpu\":%.4f}\n", chunk_delays.count, at(&chunk_delays, 0.5),
         at(&chunk_delays, 0.99), cpu);
}

int main(int count, char **words) {
  if (count != 7) {
    fprintf(stderr, "load PORT REQUEST_FILE CONNECTIONS SECONDS RATE MOST_REQUESTS\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, end_soon);
  port = atoi(words[1]);
  connection_count = atoi(words[3]);
  rate = atof(words[5]);
  most_requests = atol(words[6]);
  FILE *file = fopen(words[2], "rb");
  request = malloc(4 << 20);
  connections = calloc((size_t)connection_count, sizeof *connections);
  idle = malloc((size_t)connection_count * sizeof *idle);
  if (!file || !request || !connections || !idle) {
    perror(words[2]);
    return 1;
  }
  request_length = fread(request, 1, 4 << 20, file);
  fclose(file);
  is_waiting_for_room = request_length > 32768;
  poller = epoll_create1(0);
  for (int index = 0; index < connection_count; index++)
    dial(&connections[index]);
  uint64_t begun = now();
  deadline = begun + (uint64_t)(atof(words[4]) * 1e9);
  for (int index = connection_count - 1; index >= 0; index--)
    if (rate > 0 || is_over())
      idle[idle_count++] = index;
    else
      ask(&connections[index], now());
  run(begun);
  print((double)(now() - begun) / 1e9);
  return 0;
}
