/* Routes and policy routing rules of this network namespace, without ip or a shell. Each call returns 0 or an errno. */
#ifndef MOORAGE_NETLINK_H
#define MOORAGE_NETLINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct network {
  struct in_addr address; /* of the network: host bits are 0 */
  uint8_t bits;
};

/* What the interface eth0 and the main table say. */
struct interface {
  int index;
  struct in_addr address;
  struct network subnet;
  struct in_addr router; /* the default route's; 0.0.0.0 where there is none */
};

struct route {
  uint8_t type;  /* RTN_… */
  uint8_t scope; /* RT_SCOPE_… */
  uint8_t table; /* RT_TABLE_… or a number */
  struct network to;
  struct in_addr via; /* 0.0.0.0: none */
  int index;          /* 0: none */
};

struct rule {
  uint32_t priority;
  uint8_t table;
  bool incoming; /* only what came in through eth0 */
  uint8_t protocol;
  uint16_t port; /* of the destination, 0: any */
  struct network from, to; /* 0 bits: any */
};

int netlink_open(void);
int netlink_interface(struct interface *interface);
int netlink_route(bool add, const struct route *route);
/* Takes the route away by which a datagram to the subnet's broadcast address reaches everybody on it. */
void netlink_stop_broadcast(const struct interface *interface);
int netlink_rule(bool add, const struct rule *rule);
bool network_contains(const struct network *network, struct in_addr address);
/* Reads a.b.c.d/n. False: it is not that. */
bool network_read(struct network *network, const char *text);

#endif
