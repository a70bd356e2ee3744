/* An answer of HTTP/1.1 as it arrives, and the times that it tells. */
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t *values;
  size_t count, room;
} series;

enum answer_state { HEAD, COUNTED, SIZE_LINE, PIECE, PIECE_END, TRAILER, UNTIL_CLOSE, WHOLE, BROKEN };

typedef struct {
  enum answer_state state;
  int status, closes, has_begun, line_length, mark;
  size_t head_length, left;
  uint64_t mark_time;
  char line[24];
  char head[8192];
} answer;

/* Nanoseconds from a request to the first byte of the answer's body, and from a mark in it to its arrival. */
extern series first_bytes, chunk_delays;

uint64_t now(void);
void add(series *to, uint64_t value);

void answer_begin(answer *each);

/* Takes bytes until the answer is WHOLE or BROKEN. `since` is when it was asked for. */
void answer_feed(answer *each, const char *bytes, size_t count, uint64_t since);
