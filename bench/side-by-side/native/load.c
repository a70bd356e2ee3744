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
#include <time.h>
#include <unistd.h>

enum body_state { HEAD, COUNTED, SIZE_LINE, PIECE, PIECE_END, TRAILER, UNTIL_CLOSE };

typedef struct {
  int fd, is_asking, status, closes, line_length, mark;
  enum body_state state;
  size_t sent, head_length, left;
  uint64_t since, mark_ns;
  int has_begun;
  char line[24];
  char head[8192];
} connection;

typedef struct {
  uint64_t *values;
  size_t count, room;
} series;

static connection *connections;
static int *idle, idle_count, connection_count, port, poller, is_waiting_for_room;
static char *request;
static size_t request_length;
static uint64_t deadline;
static long started, most_requests, good, bad, reconnects, marks;
static double rate;
static series whole, first_byte, chunk_delay;
static char failure[160];
static volatile sig_atomic_t is_told_to_end;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void add(series *to, uint64_t value) {
  if (to->count == to->room) {
    to->room = to->room ? to->room * 2 : 1 << 16;
    to->values = realloc(to->values, to->room * sizeof *to->values);
    if (!to->values) abort();
  }
  to->values[to->count++] = value;
}

static int ascending(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

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
  each->status = each->closes = each->line_length = each->mark = each->has_begun = 0;
  each->state = HEAD;
  each->sent = each->head_length = each->left = 0;
  each->since = due;
  write_request(each);
}

static void ask_again(connection *each) {
  if (rate > 0 || is_over())
    rest(each);
  else
    ask(each, now());
}

static void answered(connection *each) {
  add(&whole, now() - each->since);
  if (each->status >= 200 && each->status < 300)
    good++;
  else {
    bad++;
    if (!failure[0]) snprintf(failure, sizeof failure, "status %d", each->status);
  }
  if (each->closes) hang_up(each);
  ask_again(each);
}

/* Looks for "@@<nanoseconds>@@", which may be cut anywhere. */
static void find_marks(connection *each, const char *bytes, size_t count) {
  const char *end = bytes + count;
  while (bytes < end) {
    if (each->mark == 0) {
      bytes = memchr(bytes, '@', (size_t)(end - bytes));
      if (!bytes) return;
    }
    char byte = *bytes++;
    int is_digit = byte >= '0' && byte <= '9';
    if (each->mark == 2 && is_digit)
      each->mark_ns = each->mark_ns * 10 + (uint64_t)(byte - '0');
    else if (byte != '@')
      each->mark = 0;
    else if (++each->mark == 2)
      each->mark_ns = 0;
    else if (each->mark == 4) {
      each->mark = 0;
      marks++;
      add(&chunk_delay, now() - each->mark_ns);
    }
  }
}

static void read_head(connection *each) {
  each->status = atoi(each->head + 9);
  char *length = strcasestr(each->head, "\r\ncontent-length:");
  each->closes = strcasestr(each->head, "\r\nconnection: close") != NULL;
  if (strcasestr(each->head, "\r\ntransfer-encoding: chunked"))
    each->state = SIZE_LINE;
  else {
    each->state = length ? COUNTED : UNTIL_CLOSE;
    each->left = length ? strtoul(length + 17, NULL, 10) : SIZE_MAX;
  }
}

/* Takes bytes of the head; answers how many. */
static size_t feed_head(connection *each, const char *bytes, size_t count) {
  size_t room = sizeof each->head - 1 - each->head_length, taken = count < room ? count : room;
  size_t before = each->head_length;
  memcpy(each->head + before, bytes, taken);
  each->head_length += taken;
  each->head[each->head_length] = 0;
  char *end = strstr(each->head, "\r\n\r\n");
  if (!end) {
    if (taken == room) fail(each, "a head of more than 8 KB");
    return taken;
  }
  end[2] = 0;
  read_head(each);
  return (size_t)(end - each->head) + 4 - before;
}

static size_t feed_body(connection *each, const char *bytes, size_t count) {
  size_t taken = count < each->left ? count : each->left;
  if (!each->has_begun) {
    each->has_begun = 1;
    add(&first_byte, now() - each->since);
  }
  find_marks(each, bytes, taken);
  each->left -= taken;
  return taken;
}

/* A line of the chunked framing: a size, the end of a piece, or what follows the last one. */
static void feed_line(connection *each, char byte) {
  if (byte != '\n') {
    if (byte != '\r' && each->line_length < (int)sizeof each->line - 1) each->line[each->line_length++] = byte;
    return;
  }
  int was_empty = each->line_length == 0;
  each->line[each->line_length] = 0;
  each->line_length = 0;
  if (each->state == PIECE_END)
    each->state = SIZE_LINE;
  else if (each->state == SIZE_LINE) {
    each->left = strtoul(each->line, NULL, 16);
    each->state = each->left ? PIECE : TRAILER;
  } else if (was_empty)
    answered(each);
}

static void feed(connection *each, const char *bytes, size_t count) {
  while (count && each->is_asking && each->fd >= 0) {
    size_t taken = 1;
    if (each->state == HEAD) {
      taken = feed_head(each, bytes, count);
      if (each->state == COUNTED && !each->left) answered(each);
    } else if (each->state == COUNTED || each->state == UNTIL_CLOSE) {
      taken = feed_body(each, bytes, count);
      if (!each->left) answered(each);
    } else if (each->state == PIECE) {
      taken = feed_body(each, bytes, count);
      if (!each->left) each->state = PIECE_END;
    } else
      feed_line(each, *bytes);
    bytes += taken;
    count -= taken;
  }
}

static void closed(connection *each) {
  hang_up(each);
  if (!each->is_asking) return;
  if (each->state == UNTIL_CLOSE)
    answered(each);
  else {
    fail(each, "it closed a connection before the answer was whole");
    ask_again(each);
  }
}

static void readable(connection *each) {
  static char bytes[1 << 18];
  ssize_t count = recv(each->fd, bytes, sizeof bytes, 0);
  if (count > 0) {
    feed(each, bytes, (size_t)count);
    if (each->is_asking && each->fd < 0) ask_again(each);
  } else if (count == 0 || errno != EAGAIN)
    closed(each);
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
  qsort(whole.values, whole.count, sizeof *whole.values, ascending);
  qsort(first_byte.values, first_byte.count, sizeof *first_byte.values, ascending);
  qsort(chunk_delay.values, chunk_delay.count, sizeof *chunk_delay.values, ascending);
  double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"seconds\":%.4f,\"good\":%ld,\"bad\":%ld,\"unanswered\":%d,\"reconnects\":%ld,\"failure\":\"%s\",", seconds,
         good, bad, connection_count - idle_count, reconnects, failure);
  printf("\"p50\":%.1f,\"p99\":%.1f,\"longest\":%.1f,\"firstP50\":%.1f,\"firstP99\":%.1f,", at(&whole, 0.5),
         at(&whole, 0.99), at(&whole, 1), at(&first_byte, 0.5), at(&first_byte, 0.99));
  printf("\"chunks\":%ld,\"chunkP50\":%.1f,\"chunkP99\":%.1f,\"cpu\":%.4f}\n", marks, at(&chunk_delay, 0.5),
         at(&chunk_delay, 0.99), cpu);
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
