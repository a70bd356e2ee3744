/* Reads answers of any framing, and the marks "@@<nanoseconds>@@" in them. */
#define _GNU_SOURCE
#include "answer.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

series first_bytes, chunk_delays;

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void add(series *to, uint64_t value) {
  if (to->count == to->room) {
    to->room = to->room ? to->room * 2 : 1 << 16;
    to->values = realloc(to->values, to->room * sizeof *to->values);
    if (!to->values) abort();
  }
  to->values[to->count++] = value;
}

void answer_begin(answer *each) {
  each->state = HEAD;
  each->status = each->closes = each->has_begun = each->line_length = each->mark = 0;
  each->head_length = each->left = 0;
}

/* A mark may be cut anywhere. */
static void find_marks(answer *each, const char *bytes, size_t count) {
  const char *end = bytes + count;
  while (bytes < end) {
    if (each->mark == 0) {
      bytes = memchr(bytes, '@', (size_t)(end - bytes));
      if (!bytes) return;
    }
    char byte = *bytes++;
    if (each->mark == 2 && byte >= '0' && byte <= '9')
      each->mark_time = each->mark_time * 10 + (uint64_t)(byte - '0');
    else if (byte != '@')
      each->mark = 0;
    else if (++each->mark == 2)
      each->mark_time = 0;
    else if (each->mark == 4) {
      each->mark = 0;
      add(&chunk_delays, now() - each->mark_time);
    }
  }
}

static void read_head(answer *each) {
  char *length = strcasestr(each->head, "\r\ncontent-length:");
  each->status = atoi(each->head + 9);
  each->closes = strcasestr(each->head, "\r\nconnection: close") != NULL;
  if (strcasestr(each->head, "\r\ntransfer-encoding: chunked"))
    each->state = SIZE_LINE;
  else if (length) {
    each->left = strtoul(length + 17, NULL, 10);
    each->state = each->left ? COUNTED : WHOLE;
  } else {
    each->left = SIZE_MAX;
    each->state = UNTIL_CLOSE;
  }
}

/* Answers how many bytes belong to the head. */
static size_t feed_head(answer *each, const char *bytes, size_t count) {
  size_t room = sizeof each->head - 1 - each->head_length, taken = count < room ? count : room;
  size_t before = each->head_length;
  memcpy(each->head + before, bytes, taken);
  each->head_length += taken;
  each->head[each->head_length] = 0;
  char *end = strstr(each->head, "\r\n\r\n");
  if (!end) {
    if (taken == room) each->state = BROKEN;
    return taken;
  }
  end[2] = 0;
  read_head(each);
  return (size_t)(end - each->head) + 4 - before;
}

static size_t feed_body(answer *each, const char *bytes, size_t count, uint64_t since) {
  size_t taken = count < each->left ? count : each->left;
  if (!each->has_begun) add(&first_bytes, now() - since);
  each->has_begun = 1;
  find_marks(each, bytes, taken);
  each->left -= taken;
  if (!each->left) each->state = each->state == PIECE ? PIECE_END : WHOLE;
  return taken;
}

/* A line of the chunked framing: a size, the end of a piece, or what follows the last one. */
static void feed_line(answer *each, char byte) {
  if (byte != '\n') {
    if (byte != '\r' && each->line_length < (int)sizeof each->line - 1) each->line[each->line_length++] = byte;
    return;
  }
  int is_empty = each->line_length == 0;
  each->line[each->line_length] = 0;
  each->line_length = 0;
  if (each->state == PIECE_END)
    each->state = SIZE_LINE;
  else if (each->state == SIZE_LINE) {
    each->left = strtoul(each->line, NULL, 16);
    each->state = each->left ? PIECE : TRAILER;
  } else if (is_empty)
    each->state = WHOLE;
}

void answer_feed(answer *each, const char *bytes, size_t count, uint64_t since) {
  while (count && each->state != WHOLE && each->state != BROKEN) {
    size_t taken = 1;
    if (each->state == HEAD)
      taken = feed_head(each, bytes, count);
    else if (each->state == COUNTED || each->state == PIECE || each->state == UNTIL_CLOSE)
      taken = feed_body(each, bytes, count, since);
    else
      feed_line(each, *bytes);
    bytes += taken;
    count -= taken;
  }
}
