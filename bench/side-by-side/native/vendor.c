/* Reads answers from files, frames them once, and reads requests. */
#define _GNU_SOURCE
#include "vendor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static dialect dialects[] = {
    {.path = "/chat/completions"}, {.path = "/messages"}, {.path = "enerateContent"}, {.path = ""}};
static const char *const names[] = {"openai", "anthropic", "gemini", "rest"};

void append(text *to, size_t *room, const char *bytes, size_t count) {
  if (to->count + count > *room) {
    *room = (to->count + count) * 2;
    to->bytes = realloc(to->bytes, *room);
    if (!to->bytes) abort();
  }
  memcpy(to->bytes + to->count, bytes, count);
  to->count += count;
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

void read_answers(const char *folder) {
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

static size_t length_of_line(const text *in, size_t head) {
  return (size_t)((char *)memchr(in->bytes, '\r', head) - in->bytes);
}

const dialect *dialect_of(const text *in, size_t head) {
  const dialect *of = dialects;
  while (!memmem(in->bytes, length_of_line(in, head), of->path, strlen(of->path))) of++;
  return of;
}

int find_pace(const text *in, size_t head, size_t total, long *count, long *interval) {
  char *found = memmem(in->bytes, length_of_line(in, head), "stream-", 7);
  if (!found) {
    char *model = memmem(in->bytes + head, total - head, "\"model\"", 7);
    size_t left = model ? (size_t)(in->bytes + total - model) : 0;
    char *end = model ? memchr(model, ',', left) : NULL;
    if (model) found = memmem(model, end ? (size_t)(end - model) : left, "stream-", 7);
  }
  return found && sscanf(found, "stream-%ld-%ld", count, interval) == 2;
}

static const char *header(const text *in, size_t head, const char *name) {
  size_t length = strlen(name);
  for (size_t index = 0; index + length <= head; index++)
    if (!strncasecmp(in->bytes + index, name, length)) return in->bytes + index + length;
  return NULL;
}

size_t end_of_body(const text *in, size_t head) {
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
