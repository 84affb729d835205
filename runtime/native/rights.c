#include "rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool drop(unsigned long long dropped) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets)) return false;
  bool changed = false;
  for (int i = 0; i < 2; i++) {
    __u32 gone = (__u32)(dropped >> (32 * i));
    changed |= (sets[i].effective | sets[i].permitted | sets[i].inheritable) & gone;
    sets[i].effective &= ~gone;
    sets[i].permitted &= ~gone;
    sets[i].inheritable &= ~gone;
  }
  return !changed || !syscall(SYS_capset, &header, sets);
}

bool rights_forbid_reboot(void) {
#ifdef MOORAGE_TEST
  return true; /* an ordinary process, perhaps an ordinary user's */
#endif
  return prctl(PR_CAPBSET_READ, CAP_SYS_BOOT, 0, 0, 0) != 1 || !prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0);
}

bool rights_drop_reboot(void) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* unknown to kernels that have none */
  return drop(1ull << CAP_SYS_BOOT);
}

bool rights_drop_all(void) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return drop(~0ull);
}
