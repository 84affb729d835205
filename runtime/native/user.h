/* Who a process runs as: names and numbers as the engine reads them from the image's /etc/passwd and /etc/group. */
#ifndef MOORAGE_USER_H
#define MOORAGE_USER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define USER_GROUPS 256

struct user {
  uid_t uid;
  gid_t gid;
  int group_count;
  gid_t groups[USER_GROUPS]; /* the primary one first */
  char home[PATH_MAX];
};

/*
 * Finds `name`: empty (root), a name or uid, and `:` with a group or gid. Returns 0, ENOENT where a name is not in
 * the file, or ENODATA where there is no file; root is known without one.
 * Reads files of the container: to be called where a file that never answers does no harm.
 */
int user_find(struct user *user, const char *name);
/* Takes the user's ids. What would change nothing is not tried, for user namespaces that refuse it. False: errno. */
bool user_become(const struct user *user);

#endif
