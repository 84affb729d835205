/*
 * The sandbox: a network namespace whose only way out is the gateway, for containers to join. It sets that up, gives up the
 * right to change it, and sleeps until its stdin ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "loop.h"
#include "modes.h"
#include "netlink.h"
#include "rights.h"
#include "say.h"

#define FAILED 70

/* Removes what leads anywhere but through the gateway. */
static int set_routes(struct in_addr gateway) {
  struct interface own;
  int error = netlink_open();
  if (!error) error = netlink_interface(&own);
  if (error) return error;

  struct network anything = {0}, only_gateway = {gateway, 32}, subnet = own.subnet;
  struct route standard = {RTN_UNICAST, RT_SCOPE_UNIVERSE, RT_TABLE_MAIN, anything, own.router, 0};
  if (own.router.s_addr) netlink_route(false, &standard);
  struct route to_gateway = {RTN_UNICAST, RT_SCOPE_LINK, RT_TABLE_MAIN, only_gateway, {0}, own.index};
  if ((error = netlink_route(true, &to_gateway))) return error;
  struct route via_gateway = {RTN_UNICAST, RT_SCOPE_UNIVERSE, RT_TABLE_MAIN, anything, gateway, own.index};
  if ((error = netlink_route(true, &via_gateway))) return error;
  struct route to_subnet = {RTN_UNICAST, RT_SCOPE_LINK, RT_TABLE_MAIN, subnet, {0}, own.index};
  if (subnet.bits < 32 && (error = netlink_route(false, &to_subnet))) return error;

  /* Broadcasts and multicasts would reach other sandboxes, 127.0.0.11 the engine's own resolver and so the internet. */
  netlink_stop_broadcast(&own);
  static const char *const nowhere[] = {"127.0.0.11/32", "255.255.255.255/32", "224.0.0.0/4"};
  for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
    struct route none = {RTN_UNREACHABLE, RT_SCOPE_UNIVERSE, i ? RT_TABLE_MAIN : RT_TABLE_LOCAL, {{0}, 0}, {0}, 0};
    network_read(&none.to, nowhere[i]);
    if ((error = netlink_route(true, &none))) return error;
  }
  return 0;
}

/* The engine mounts this file into every container that joins. */
static int set_resolver(const char *gateway) {
  int fd = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  say(fd, "nameserver ", gateway, "\noptions ndots:0\n", NULL);
  return close(fd) ? errno : 0;
}

static void stop(int signal) {
  _exit(128 + signal);
}

int sandbox_main(const char *gateway) {
  struct in_addr address;
  if (inet_pton(AF_INET, gateway, &address) != 1) {
    say(2, "moorage-agent sandbox: ", gateway, " is not an IPv4 address.\n", NULL);
    return 2;
  }
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  int error = set_routes(address);
  if (!error) error = set_resolver(gateway);
  if (!error && !rights_drop_all()) error = errno;
  if (error) {
    say(2, "moorage-agent sandbox: ", strerror(error), ".\n", NULL);
    return FAILED;
  }
  if (write(1, "ready\n", 6) != 6) return FAILED;
  error = claim_wait();
  if (error) return error;
  uint8_t ignored[64];
  ssize_t n;
  while ((n = read(0, ignored, sizeof ignored)) > 0 || (n < 0 && errno == EINTR)) continue;
  return 0;
}
