#include "say.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static bool join_list(char *to, size_t size, const char *first, va_list list) {
  size_t length = 0;
  for (const char *text = first; text; text = va_arg(list, const char *)) {
    size_t more = strlen(text);
    if (length + more >= size) {
      *to = 0;
      return false;
    }
    memcpy(to + length, text, more);
    length += more;
  }
  to[length] = 0;
  return true;
}

bool join(char *to, size_t size, const char *first, ...) {
  va_list list;
  va_start(list, first);
  bool fits = join_list(to, size, first, list);
  va_end(list);
  return fits;
}

void say(int fd, const char *first, ...) {
  char line[512];
  va_list list;
  va_start(list, first);
  join_list(line, sizeof line, first, list);
  va_end(list);
  if (write(fd, line, strlen(line)) < 0) return; /* nobody there to be told */
}
