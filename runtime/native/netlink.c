#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define INTERFACE "eth0"

struct request {
  struct nlmsghdr header;
  uint8_t body[256];
};

static int fd = -1;

static uint32_t mask_of(uint8_t bits) {
  return htonl(bits ? ~0u << (32 - bits) : 0);
}

int netlink_open(void) {
  fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return fd < 0 ? errno : 0;
}

static void begin(struct request *r, uint16_t type, uint16_t flags, const void *body, size_t size) {
  memset(r, 0, sizeof *r);
  r->header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(size));
  r->header.nlmsg_type = type;
  r->header.nlmsg_flags = NLM_F_REQUEST | flags;
  memcpy(r->body, body, size);
}

static void attribute(struct request *r, uint16_t type, const void *value, size_t size) {
  struct rtattr head = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};
  uint8_t *at = (uint8_t *)r + r->header.nlmsg_len;
  memcpy(at, &head, sizeof head);
  memcpy(at + RTA_LENGTH(0), value, size);
  r->header.nlmsg_len += RTA_SPACE((uint32_t)size);
}

/* Sends and waits for the kernel's answer, which it gives within the call. */
static int ask(struct request *r) {
  static uint32_t sequence;
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    uint8_t rest[512];
  } answer;
  r->header.nlmsg_flags |= NLM_F_ACK;
  r->header.nlmsg_seq = ++sequence;
  if (send(fd, r, r->header.nlmsg_len, 0) < 0) return errno;
  for (;;) {
    ssize_t n = recv(fd, &answer, sizeof answer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (answer.header.nlmsg_type == NLMSG_ERROR && answer.header.nlmsg_seq == sequence) return -answer.error.error;
  }
}

int netlink_route(bool add, const struct route *route) {
  struct request r;
  struct rtmsg body = {
      .rtm_family = AF_INET,
      .rtm_dst_len = route->to.bits,
      .rtm_table = route->table,
      .rtm_protocol = add ? RTPROT_STATIC : RTPROT_UNSPEC,
      .rtm_scope = route->scope,
      .rtm_type = route->type,
  };
  begin(&r, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof body);
  if (route->to.bits) attribute(&r, RTA_DST, &route->to.address, 4);
  if (route->via.s_addr) attribute(&r, RTA_GATEWAY, &route->via, 4);
  if (route->index) attribute(&r, RTA_OIF, &route->index, 4);
  return ask(&r);
}

int netlink_rule(bool add, const struct rule *rule) {
  struct request r;
  struct fib_rule_hdr body = {
      .family = AF_INET,
      .src_len = rule->from.bits,
      .dst_len = rule->to.bits,
      .table = rule->table,
      .action = FR_ACT_TO_TBL,
  };
  begin(&r, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &body, sizeof body);
  attribute(&r, FRA_PRIORITY, &rule->priority, 4);
  if (rule->incoming) attribute(&r, FRA_IIFNAME, INTERFACE, sizeof INTERFACE);
  if (rule->from.bits) attribute(&r, FRA_SRC, &rule->from.address, 4);
  if (rule->to.bits) attribute(&r, FRA_DST, &rule->to.address, 4);
  if (rule->protocol) attribute(&r, FRA_IP_PROTO, &rule->protocol, 1);
  if (rule->port) {
    struct fib_rule_port_range range = {rule->port, rule->port};
    attribute(&r, FRA_DPORT_RANGE, &range, sizeof range);
  }
  return ask(&r);
}

void netlink_stop_broadcast(const struct interface *i) {
  struct in_addr last = {i->subnet.address.s_addr | ~mask_of(i->subnet.bits)};
  struct route broadcast = {RTN_BROADCAST, RT_SCOPE_LINK, RT_TABLE_LOCAL, {last, 32}, {0}, i->index};
  if (i->subnet.bits < 31) netlink_route(false, &broadcast);
}

/* The default route's router. A dump's answer fits one read: there are a handful of routes. */
static struct in_addr find_router(void) {
  struct in_addr router = {0};
  static uint8_t answer[16384];
  struct request r;
  struct rtmsg body = {.rtm_family = AF_INET};
  begin(&r, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof body);
  if (send(fd, &r, r.header.nlmsg_len, 0) < 0) return router;
  for (bool more = true; more;) {
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n <= 0) break;
    int left = (int)n;
    for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) more = false;
      if (h->nlmsg_type != RTM_NEWROUTE) continue;
      struct rtmsg *m = NLMSG_DATA(h);
      if (m->rtm_table != RT_TABLE_MAIN || m->rtm_dst_len) continue;
      int size = (int)RTM_PAYLOAD(h);
      for (struct rtattr *a = RTM_RTA(m); RTA_OK(a, size); a = RTA_NEXT(a, size))
        if (a->rta_type == RTA_GATEWAY) memcpy(&router, RTA_DATA(a), 4);
    }
  }
  return router;
}

int netlink_interface(struct interface *i) {
  struct ifreq request = {.ifr_name = INTERFACE};
  int error = 0, asking = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
  if (asking < 0) return errno;
  if (ioctl(asking, SIOCGIFADDR, &request)) error = errno;
  i->address = in->sin_addr;
  if (!error && ioctl(asking, SIOCGIFNETMASK, &request)) error = errno;
  uint32_t mask = in->sin_addr.s_addr;
  if (!error && ioctl(asking, SIOCGIFINDEX, &request)) error = errno;
  i->index = request.ifr_ifindex;
  i->subnet.address.s_addr = i->address.s_addr & mask;
  i->subnet.bits = (uint8_t)__builtin_popcount(mask);
  close(asking);
  if (!error) i->router = find_router();
  return error;
}

bool network_contains(const struct network *n, struct in_addr address) {
  return (address.s_addr & mask_of(n->bits)) == n->address.s_addr;
}

bool network_read(struct network *n, const char *text) {
  char address[INET_ADDRSTRLEN];
  const char *slash = strchr(text, '/');
  size_t length = slash ? (size_t)(slash - text) : strlen(text);
  if (length >= sizeof address) return false;
  memcpy(address, text, length);
  address[length] = 0;
  char *end = NULL;
  unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : 32;
  if (inet_pton(AF_INET, address, &n->address) != 1 || bits > 32 || (slash && (!slash[1] || *end))) return false;
  n->bits = (uint8_t)bits;
  n->address.s_addr &= mask_of(n->bits);
  return true;
}
