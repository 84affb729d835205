#include "kin.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* Those that are born while the others are looked for are found by the next round. */
#define ROUNDS 8

/* Whether it belongs to the session and is not dead yet. */
static bool is_kin(const char *pid, pid_t session) {
  char path[64], text[512];
  if (!join(path, sizeof path, "/proc/", pid, "/stat", NULL)) return false;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  /* pid (name) state parent group session: the name may have anything in it. */
  char *at = strrchr(text, ')');
  bool is_dead = at && (at[2] == 'Z' || at[2] == 'X');
  for (int i = 0; at && i < 4; i++) at = strchr(at + 1, ' ');
  return at && !is_dead && atoi(at + 1) == session;
}

static bool kill_seen(pid_t session) {
  DIR *all = opendir("/proc");
  bool found = false;
  for (struct dirent *one; all && (one = readdir(all));) {
    pid_t pid = atoi(one->d_name);
    if (pid <= 1 || pid == getpid() || !is_kin(one->d_name, session)) continue;
    found = true;
    kill(pid, SIGKILL);
  }
  if (all) closedir(all);
  return found;
}

void kin_kill(pid_t session) {
  if (session <= 1) return;
  kill(-session, SIGKILL); /* most are in its first group, and so cannot escape by forking */
  for (int i = 0; i < ROUNDS && kill_seen(session); i++) {}
}
