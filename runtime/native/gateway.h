/* What the parts of the gateway share. */
#ifndef MOORAGE_GATEWAY_H
#define MOORAGE_GATEWAY_H

#include "link.h"
#include "netlink.h"

extern struct link control;
extern struct interface own;

/* The address belongs to a sandbox: it is on our network and neither ours nor the host's. */
bool is_sandbox(struct in_addr address);
/* No flow may be connected there, whatever the relay says: our own network and what was given as refused. */
bool is_refused(struct in_addr address);

/* rules.c. Those that return an int return 0 or an errno. */
/* One more network, as a.b.c.d/n, that no sandbox may reach. False: it is not that, or too many. */
bool rules_refuse(const char *network);
/* Sets everything up for `own`. */
int rules_set(void);
/* TCP connections to this port come to whoever listens here. */
int rules_cover(bool on, uint16_t port);
/* What a sandbox sends elsewhere is sent on. */
/* One more network that is refused to everyone, once the rules are set. Returns 0 or an errno. */
int rules_refuse_too(struct in_addr address, uint8_t bits);
int rules_internet(struct in_addr sandbox, bool on);

/* flow.c */
/* Takes an accepted connection over and hands it to a parked connection as soon as there is one. */
void flow_accept(int fd, struct sockaddr_in from, struct sockaddr_in to);
/* Closes fd in such a way that its peer sees a reset. */
void reset_fd(int fd);
/* Milliseconds until flow_tick wants to be called, -1: never. */
int flow_wait_ms(void);
void flow_tick(void);

/* parked.c */
/* Takes over a connection of the relay that waits for a flow. */
void parked_add(int fd);
/* The next parked connection, or -1. */
int parked_take(void);

/* splice.c: one direction of a flow. */
struct way {
  int pipe[2]; /* only while bytes are held */
  size_t held;
  bool done; /* the end was passed on */
};
enum moved { MOVED_ALL, MOVED_MORE, MOVED_BROKEN };
/* Moves what can be moved from one socket to the other, in the kernel, and passes the end on. */
enum moved way_move(struct way *way, struct source *from, struct source *to);
void way_close(struct way *way);

/* datagram.c */
/* Opens the DNS socket. Returns 0 or an errno. */
int datagram_open(void);
void datagram_answer(uint32_t id, const uint8_t *bytes, size_t length);

#endif
