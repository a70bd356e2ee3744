/*
 * The vendor of the benchmark: one thread, answers ready in memory, streams paced by a timer.
 *
 *   upstream PORT FOLDER
 *
 * FOLDER holds, for each of the dialects of vendor.c, NAME.whole (the body of an answer at once) and NAME.first, NAME.chunk and
 * NAME.last (events of a stream); rest.whole answers everything else. A model of the name stream-COUNT-MS, in the path or in
 * the body, is answered by COUNT chunks, MS milliseconds apart. In a chunk, "@@" and 19 digits become the time it was sent.
 */
#define _GNU_SOURCE
#include "vendor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 20000, DIGITS = 19 };

typedef struct {
  int is_open, wants_room, slot;
  text in, out;
  size_t in_room, out_room, out_sent;
  const dialect *speaks;
  long chunks_left;
  uint64_t interval, next;
} client;

static client clients[MOST_DESCRIPTORS];
static int streaming[MOST_DESCRIPTORS], streaming_count, poller;
static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    "Date: Sun, 22 Nov 2026 00:00:00 GMT\r\nx-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void watch(int fd, int operation, uint32_t events) {
  struct epoll_event event = {events, {.fd = fd}};
  epoll_ctl(poller, operation, fd, &event);
}

static void leave_stream(client *of) {
  if (of->slot < 0) return;
  streaming[of->slot] = streaming[--streaming_count];
  clients[streaming[of->slot]].slot = of->slot;
  of->slot = -1;
}

static void drop(int fd) {
  client *of = &clients[fd];
  leave_stream(of);
  free(of->in.bytes);
  free(of->out.bytes);
  memset(of, 0, sizeof *of);
  close(fd);
}

static void flush(int fd) {
  client *of = &clients[fd];
  while (of->out_sent < of->out.count) {
    ssize_t sent = send(fd, of->out.bytes + of->out_sent, of->out.count - of->out_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(fd);
    if (sent < 0) {
      if (!of->wants_room) watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      of->wants_room = 1;
      return;
    }
    of->out_sent += (size_t)sent;
  }
  of->out.count = of->out_sent = 0;
  if (of->wants_room) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
  of->wants_room = 0;
}

static void put(int fd, const char *bytes, size_t count) {
  client *of = &clients[fd];
  if (!of->is_open) return;
  ssize_t sent = of->out.count ? 0 : send(fd, bytes, count, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return drop(fd);
  if (sent < 0) sent = 0;
  if ((size_t)sent == count) return;
  append(&of->out, &of->out_room, bytes + sent, count - (size_t)sent);
  flush(fd);
}

static void put_chunk(int fd, const dialect *in) {
  char *digits = in->chunk.bytes + in->mark;
  uint64_t time = now();
  for (int index = DIGITS - 1; index >= 0; index--, time /= 10) digits[index] = (char)('0' + time % 10);
  put(fd, in->chunk.bytes, in->chunk.count);
}

static void begin_stream(int fd, const dialect *in, long count, long interval) {
  client *of = &clients[fd];
  put(fd, stream_head, sizeof stream_head - 1);
  put(fd, in->first.bytes, in->first.count);
  if (!of->is_open) return;
  if (interval == 0) {
    while (count-- > 0 && of->is_open) put_chunk(fd, in);
    put(fd, in->last.bytes, in->last.count);
    return;
  }
  of->speaks = in;
  of->chunks_left = count;
  of->interval = (uint64_t)interval * 1000000u;
  of->next = now();
  of->slot = streaming_count;
  streaming[streaming_count++] = fd;
}

static void answer(int fd, size_t head, size_t total) {
  const text *in = &clients[fd].in;
  const dialect *of = dialect_of(in, head);
  long count, interval;
  if (of->first.bytes && find_pace(in, head, total, &count, &interval))
    begin_stream(fd, of, count, interval);
  else
    put(fd, of->whole.bytes, of->whole.count);
}

static void answer_all(int fd) {
  client *of = &clients[fd];
  while (of->is_open && of->slot < 0 && of->in.count) {
    char *end = memmem(of->in.bytes, of->in.count, "\r\n\r\n", 4);
    if (!end) return;
    size_t head = (size_t)(end - of->in.bytes) + 4, total = end_of_body(&of->in, head);
    if (!total) return;
    answer(fd, head, total);
    if (!of->is_open) return;
    memmove(of->in.bytes, of->in.bytes + total, of->in.count - total);
    of->in.count -= total;
  }
}

static void tick(void) {
  uint64_t time = now();
  for (int index = streaming_count - 1; index >= 0; index--) {
    int fd = streaming[index];
    client *of = &clients[fd];
    if (time < of->next) continue;
    of->next += of->interval;
    if (of->chunks_left-- > 0)
      put_chunk(fd, of->speaks);
    else {
      const dialect *in = of->speaks;
      leave_stream(of);
      put(fd, in->last.bytes, in->last.count);
      answer_all(fd);
    }
  }
}

static void accept_all(int door) {
  int fd, on = 1;
  while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (fd >= MOST_DESCRIPTORS) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    clients[fd] = (client){.is_open = 1, .slot = -1};
    watch(fd, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void serve(int fd, uint32_t events) {
  static char bytes[1 << 18];
  client *of = &clients[fd];
  if (!of->is_open) return;
  if (events & EPOLLOUT) flush(fd);
  if (!of->is_open || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t count = recv(fd, bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return drop(fd);
  append(&of->in, &of->in_room, bytes, (size_t)count);
  answer_all(fd);
}

int main(int count, char **words) {
  if (count != 3) {
    fprintf(stderr, "upstream PORT FOLDER\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  read_answers(words[2]);
  int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 4096)) {
    perror("upstream");
    return 1;
  }
  poller = epoll_create1(0);
  int clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec each = {{0, 1000000}, {0, 1000000}};
  timerfd_settime(clock, 0, &each, NULL);
  watch(door, EPOLL_CTL_ADD, EPOLLIN);
  watch(clock, EPOLL_CTL_ADD, EPOLLIN);
  struct epoll_event events[512];
  for (;;) {
    int ready = epoll_wait(poller, events, 512, -1);
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      uint64_t ticks;
      if (fd == door)
        accept_all(door);
      else if (fd == clock) {
        if (read(clock, &ticks, sizeof ticks) > 0) tick();
      } else
        serve(fd, events[index].events);
    }
  }
}
