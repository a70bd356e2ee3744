/*
 * The vendor of the benchmark: one thread, answers ready in memory, streams paced by a timer.
 *
 *   upstream PORT FOLDER
 *
 * FOLDER holds, for each of the dialects below, NAME.whole (the body of an answer at once) and NAME.first, NAME.chunk and
 * NAME.last (events of a stream); rest.whole answers everything else. A model of the name stream-COUNT-MS, in the path or in
 * the body, is answered by COUNT chunks, MS milliseconds apart. In a chunk, "@@" and 19 digits become the time it was sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 20000, DIGITS = 19 };

typedef struct {
  char *bytes;
  size_t count;
} text;

typedef struct {
  const char *path;
  text whole, first, chunk, last;
  size_t mark;
} dialect;

typedef struct {
  int is_open, wants_room, slot;
  text in, out;
  size_t in_room, out_room, out_sent;
  const dialect *speaks;
  long chunks_left;
  uint64_t interval, next;
} client;

static dialect dialects[] = {{.path = "/chat/completions"}, {.path = "/messages"}, {.path = "enerateContent"}, {.path = ""}};
static const char *const names[] = {"openai", "anthropic", "gemini", "rest"};
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

static void append(text *to, size_t *room, const char *bytes, size_t count) {
  if (to->count + count > *room) {
    *room = (to->count + count) * 2;
    to->bytes = realloc(to->bytes, *room);
    if (!to->bytes) abort();
  }
  memcpy(to->bytes + to->count, bytes, count);
  to->count += count;
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

/* The model that is asked for, in the path or in the body: how many chunks and how far apart, or neither. */
static int find_pace(const text *in, size_t head, size_t total, long *count, long *interval) {
  size_t line = (size_t)((char *)memchr(in->bytes, '\r', head) - in->bytes);
  char *found = memmem(in->bytes, line, "stream-", 7);
  if (!found) {
    char *model = memmem(in->bytes + head, total - head, "\"model\"", 7);
    size_t left = model ? (size_t)(in->bytes + total - model) : 0;
    char *end = model ? memchr(model, ',', left) : NULL;
    if (model) found = memmem(model, end ? (size_t)(end - model) : left, "stream-", 7);
  }
  return found && sscanf(found, "stream-%ld-%ld", count, interval) == 2;
}

static void answer(int fd, size_t head, size_t total) {
  text *in = &clients[fd].in;
  size_t line = (size_t)((char *)memchr(in->bytes, '\r', head) - in->bytes);
  const dialect *of = dialects;
  while (!memmem(in->bytes, line, of->path, strlen(of->path))) of++;
  long count, interval;
  if (of->first.bytes && find_pace(in, head, total, &count, &interval))
    begin_stream(fd, of, count, interval);
  else
    put(fd, of->whole.bytes, of->whole.count);
}

static const char *header(const text *in, size_t head, const char *name) {
  size_t length = strlen(name);
  for (size_t index = 0; index + length <= head; index++)
    if (!strncasecmp(in->bytes + index, name, length)) return in->bytes + index + length;
  return NULL;
}

/* Where the body ends that begins at `head`; 0 when it is not all there. */
static size_t end_of_body(const text *in, size_t head) {
  const char *length = header(in, head, "\r\ncontent-length:");
  if (length) {
    size_t end = head + strtoul(length, NULL, 10);
    return end <= in->count ? end : 0;
  }
  if (!header(in, head, "\r\ntransfer-encoding: chunked")) return head;
  for (size_t place = head; place < in->count;) {
    char *line = memmem(in->bytes + place, in->count - place, "\r\n", 2);
    if (!line) return 0;
    size_t size = strtoul(in->bytes + place, NULL, 16);
    place = (size_t)(line - in->bytes) + 2 + size + 2;
    if (place > in->count) return 0;
    if (!size) return place;
  }
  return 0;
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

static text read_file(const char *folder, const char *name, const char *part) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, part);
  FILE *file = fopen(path, "rb");
  text all = {0};
  if (!file) return all;
  all.bytes = malloc(1 << 20);
  all.count = fread(all.bytes, 1, 1 << 20, file);
  fclose(file);
  return all;
}

static text framed(text of, const char *form, const char *end) {
  text all = {.bytes = malloc(of.count + 1024)};
  all.count = (size_t)sprintf(all.bytes, form, of.count);
  memcpy(all.bytes + all.count, of.bytes, of.count);
  all.count += of.count;
  memcpy(all.bytes + all.count, end, strlen(end));
  all.count += strlen(end);
  return all;
}

static void read_answers(const char *folder) {
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    dialect *of = &dialects[index];
    of->whole = framed(read_file(folder, names[index], "whole"),
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
                       "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
                       "x-request-id: req_0123456789abcdef0123456789abcdef\r\nContent-Length: %zu\r\n\r\n",
                       "");
    text chunk = read_file(folder, names[index], "chunk");
    if (!chunk.bytes) continue;
    of->first = framed(read_file(folder, names[index], "first"), "%zx\r\n", "\r\n");
    of->chunk = framed(chunk, "%zx\r\n", "\r\n");
    of->last = framed(read_file(folder, names[index], "last"), "%zx\r\n", "\r\n0\r\n\r\n");
    of->mark = (size_t)((char *)memmem(of->chunk.bytes, of->chunk.count, "@@", 2) - of->chunk.bytes) + 2;
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
