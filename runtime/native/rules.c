/*
 * The gateway's policy routing. It owns every address; these rules say which packets reach its ordinary listeners, so a
 * listener's local address is where a flow wanted to go, and which are sent on by the kernel.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "gateway.h"

#define MAX_REFUSED 256
#define MAX_INTERNET 4096

/* The rules, in the order in which the kernel asks them. */
#define OWN_RULE 10       /* our own address and loopback: to us */
#define COVERED_RULE 100  /* covered ports, DNS: to our listeners */
#define REFUSED_RULE 150  /* other sandboxes, the host, refused networks: to nobody who listens */
#define FROM_RULE 200     /* of a sandbox that may use the internet: on by the kernel */
#define TO_RULE 210       /* the same, for the kernel's check of the way back */
#define REST_RULE 300     /* all else: to nobody who listens, so refused at once */
#define OWN_TABLE 101

struct interface own;

static struct network refused[MAX_REFUSED];
static int refused_count;
static struct in_addr internet[MAX_INTERNET];
static int internet_count;

bool rules_refuse(const char *network) {
  return refused_count < MAX_REFUSED && network_read(&refused[refused_count++], network);
}

bool is_sandbox(struct in_addr a) {
  return network_contains(&own.subnet, a) && a.s_addr != own.address.s_addr && a.s_addr != own.router.s_addr;
}

bool is_refused(struct in_addr a) {
  uint8_t first = *(uint8_t *)&a;
  if (network_contains(&own.subnet, a) || first == 0 || first == 127 || first >= 224) return true;
  for (int i = 0; i < refused_count; i++)
    if (network_contains(&refused[i], a)) return true;
  return false;
}

static int add_rule(uint32_t priority, uint8_t table, struct network from, struct network to) {
  struct rule rule = {.priority = priority, .table = table, .incoming = true, .from = from, .to = to};
  return netlink_rule(true, &rule);
}

int rules_set(void) {
  struct network any = {0}, loopback, self = {own.address, 32};
  int error;
  network_read(&loopback, "127.0.0.0/8");
  int lo = 1; /* in every network namespace */
  struct route to_loopback = {RTN_LOCAL, RT_SCOPE_HOST, OWN_TABLE, loopback, {0}, lo};
  struct route to_self = {RTN_LOCAL, RT_SCOPE_HOST, OWN_TABLE, self, {0}, own.index};
  if ((error = netlink_route(true, &to_loopback)) || (error = netlink_route(true, &to_self))) return error;
  struct rule own_rule = {.priority = OWN_RULE, .table = OWN_TABLE};
  if ((error = netlink_rule(true, &own_rule))) return error;
  struct rule names = {.priority = COVERED_RULE, .table = RT_TABLE_LOCAL, .incoming = true, .protocol = IPPROTO_UDP, .port = DNS_PORT};
  if ((error = netlink_rule(true, &names))) return error;
  if ((error = add_rule(REFUSED_RULE, RT_TABLE_LOCAL, own.subnet, own.subnet))) return error;
  for (int i = 0; i < refused_count; i++)
    if ((error = add_rule(REFUSED_RULE, RT_TABLE_LOCAL, own.subnet, refused[i])) && error != EEXIST) return error;
  if ((error = add_rule(REST_RULE, RT_TABLE_LOCAL, any, any))) return error;
  struct rule first = {.priority = 0, .table = RT_TABLE_LOCAL};
  if ((error = netlink_rule(false, &first))) return error;
  netlink_stop_broadcast(&own); /* or that address would time out, not refuse */
  /* In the table named local, or the kernel does not answer from these addresses. */
  struct route everything = {RTN_LOCAL, RT_SCOPE_HOST, RT_TABLE_LOCAL, any, {0}, lo};
  return netlink_route(true, &everything);
}

int rules_refuse_too(struct in_addr address, uint8_t bits) {
  struct network network = {address, bits};
  if (bits > 32) return EINVAL;
  if (refused_count == MAX_REFUSED) return ENOSPC;
  int error = add_rule(REFUSED_RULE, RT_TABLE_LOCAL, own.subnet, network);
  if (error && error != EEXIST) return error;
  refused[refused_count++] = network;
  return 0;
}

int rules_cover(bool add, uint16_t port) {
  struct rule rule = {.priority = COVERED_RULE, .table = RT_TABLE_LOCAL, .incoming = true, .protocol = IPPROTO_TCP, .port = port};
  return netlink_rule(add, &rule);
}

int rules_internet(struct in_addr address, bool on) {
  struct network any = {0}, one = {address, 32};
  struct rule from = {.priority = FROM_RULE, .table = RT_TABLE_MAIN, .incoming = true, .from = one, .to = any};
  struct rule to = {.priority = TO_RULE, .table = RT_TABLE_MAIN, .incoming = true, .from = any, .to = one};
  int at = 0;
  while (at < internet_count && internet[at].s_addr != address.s_addr) at++;
  if (!is_sandbox(address)) return EINVAL;
  if (on == (at < internet_count)) return 0;
  if (on && internet_count == MAX_INTERNET) return ENOSPC;
  int error = netlink_rule(on, &from);
  if (error) return error;
  error = netlink_rule(on, &to);
  if (error) {
    netlink_rule(!on, &from);
    return error;
  }
  if (on) internet[internet_count++] = address;
  else internet[at] = internet[--internet_count];
  return 0;
}
