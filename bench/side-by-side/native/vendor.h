/* What the upstream answers, and how it tells from a request what is wanted. */
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char *bytes;
  size_t count;
} text;

typedef struct {
  const char *path;
  /* Framed, as they are sent. */
  text whole, first, chunk, last;
  /* Where in `chunk` the digits of the time stand. */
  size_t mark;
} dialect;

void read_answers(const char *folder);
void append(text *to, size_t *room, const char *bytes, size_t count);

/* Where the body ends that begins at `head`; 0 when it is not all there. */
size_t end_of_body(const text *in, size_t head);
const dialect *dialect_of(const text *in, size_t head);

/* The model that is asked for, in the path or in the body: how many chunks and how far apart, or neither. */
int find_pace(const text *in, size_t head, size_t total, long *count, long *interval);
