#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

#define FILE_BYTES (1 << 20)
#define NAME_BYTES 256

/* The whole of a small text file, NUL-ended, or NULL. Never waits: the file is the container's and may be anything. */
static char *read_file(const char *path) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat about;
  char *text = NULL;
  if (fd >= 0 && !fstat(fd, &about) && S_ISREG(about.st_mode) && (text = malloc(FILE_BYTES + 1))) {
    size_t length = 0;
    for (ssize_t n; length < FILE_BYTES && (n = read(fd, text + length, FILE_BYTES - length)) > 0;) length += (size_t)n;
    text[length] = 0;
  }
  if (fd >= 0) close(fd);
  return text;
}

/* Cuts the next line into at most `count` fields (missing ones are empty). False: no more lines. */
static bool next_line(char **text, char **fields, int count) {
  char *line = strsep(text, "\n");
  if (!line) return false;
  for (int i = 0; i < count; i++) {
    char *field = line ? strsep(&line, ":") : NULL;
    fields[i] = field ? field : (char *)"";
  }
  return true;
}

static bool number(const char *text, unsigned *n) {
  if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
  unsigned long long value = strtoull(text, NULL, 10);
  *n = (unsigned)value;
  return value < 0x80000000u; /* the engine's own limit */
}

/* Looks the user up; `name` becomes the one in the file. False: not in the file. `there`: there is a file. */
static bool find_passwd(struct user *u, char *name, bool is_number, unsigned id, bool *there) {
  char *text = read_file("/etc/passwd"), *rest = text, *f[7];
  bool found = false;
  *there = text;
  while (rest && !found && next_line(&rest, f, 7)) {
    unsigned uid, gid;
    if (!number(f[2], &uid) || !number(f[3], &gid)) continue;
    if (strcmp(f[0], name) && !(is_number && uid == id)) continue;
    if (!join(name, NAME_BYTES, f[0], NULL)) continue;
    found = true;
    u->uid = uid;
    u->gid = gid;
    if (*f[5]) join(u->home, sizeof u->home, f[5], NULL);
  }
  free(text);
  return found;
}

static bool is_member(char *members, const char *name) {
  for (char *one; (one = strsep(&members, ","));)
    if (!strcmp(one, name)) return true;
  return false;
}

/* Sets the group that was asked for, or adds those that list the user. False: `group` is not in the file. `there`: there is a file. */
static bool find_groups(struct user *u, const char *group, bool is_number, unsigned id, const char *name, bool *there) {
  char *text = read_file("/etc/group"), *rest = text, *f[4];
  bool found = false;
  *there = text;
  while (rest && !found && next_line(&rest, f, 4)) {
    unsigned gid;
    if (!number(f[2], &gid)) continue;
    if (group) {
      if (!(found = is_number ? gid == id : !strcmp(f[0], group))) continue;
      u->gid = gid;
    } else if (*name && gid != u->gid && u->group_count < USER_GROUPS && is_member(f[3], name)) {
      u->groups[u->group_count++] = gid;
    }
  }
  free(text);
  return found;
}

int user_find(struct user *u, const char *text) {
  *u = (struct user){.group_count = 1, .home = "/"};
  char name[NAME_BYTES];
  const char *colon = strchr(text, ':');
  size_t length = colon ? (size_t)(colon - text) : strlen(text);
  if (length >= sizeof name) return ENOENT;
  memcpy(name, text, length);
  name[length] = 0;
  if (!length) strcpy(name, "0");
  const char *group = colon && colon[1] ? colon + 1 : NULL;

  unsigned uid = 0, gid = 0;
  bool uid_given = number(name, &uid), gid_given = group && number(group, &gid), there;
  if (!find_passwd(u, name, uid_given, uid, &there)) {
    /* Everybody knows root, an image without a list of users too. */
    if (!uid_given && (there || strcmp(name, "root"))) return there ? ENOENT : ENODATA;
    u->uid = uid;
    *name = 0;
  }
  if (!find_groups(u, group, gid_given, gid, name, &there) && group) {
    if (!gid_given && (there || strcmp(group, "root"))) return there ? ENOENT : ENODATA;
    u->gid = gid;
  }
  u->groups[0] = u->gid;
  return 0;
}

static bool has_groups(const struct user *u) {
  gid_t now[USER_GROUPS];
  int n = getgroups(USER_GROUPS, now);
  if (n != u->group_count) return n == 0 && u->group_count == 1 && getegid() == u->gid;
  return !memcmp(now, u->groups, (size_t)n * sizeof *now);
}

bool user_become(const struct user *u) {
  bool same = getuid() == u->uid && getgid() == u->gid;
  /* A user namespace may forbid setgroups; who stays root there loses nothing by it. */
  if (!has_groups(u) && setgroups((size_t)u->group_count, u->groups) && !(same && errno == EPERM)) return false;
  if (getgid() != u->gid && setresgid(u->gid, u->gid, u->gid)) return false;
  if (getuid() != u->uid && setresuid(u->uid, u->uid, u->uid)) return false;
  return true;
}
