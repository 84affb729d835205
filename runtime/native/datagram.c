/* DNS queries to any address: to the relay and back, from the address that was asked. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway.h"

#define FORGOTTEN_MS 10000
#define MAX_PENDING 1024
#define MAX_BYTES 4096
#define PREFIX_BYTES 10

struct pending {
  uint32_t id;
  int64_t until;
  struct sockaddr_in from;
  struct in_addr to;
};

static struct pending pending[MAX_PENDING];
static uint32_t last_id;

static void run(struct source *source);
static struct source dns = {.fd = -1, .run = run};

int datagram_open(void) {
  int yes = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
  if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) || bind(fd, (struct sockaddr *)&any, sizeof any)) return errno;
  return loop_watch(&dns, fd, EPOLLIN) ? 0 : errno;
}

union packet_info {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void pass_on(const struct sockaddr_in *from, struct in_addr to, uint8_t *payload, size_t length) {
  if (!is_sandbox(from->sin_addr)) return;
  if (!++last_id) last_id = 1;
  struct pending *p = &pending[last_id % MAX_PENDING];
  *p = (struct pending){last_id, now_ms() + FORGOTTEN_MS, *from, to};
  memcpy(payload, &from->sin_addr, 4);
  put16(payload + 4, ntohs(from->sin_port));
  memcpy(payload + 6, &to, 4);
  link_commit(&control, FROM_GATEWAY_DATAGRAM, last_id, PREFIX_BYTES + length);
}

static void run(struct source *s) {
  for (int i = 0; i < 64; i++) {
    static uint8_t nowhere[PREFIX_BYTES + MAX_BYTES];
    /* Nobody there to answer, or one who does not keep up: the query is lost, as queries are, and asked again. */
    uint8_t *payload = link_reserve(&control, PREFIX_BYTES + MAX_BYTES);
    bool lost = !payload;
    if (lost) payload = nowhere;
    struct sockaddr_in from;
    union packet_info info;
    struct iovec part = {payload + PREFIX_BYTES, MAX_BYTES};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &info, .msg_controllen = sizeof info};
    ssize_t n = recvmsg(s->fd, &message, MSG_DONTWAIT);
    if (n < 0) return;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (lost || !c || c->cmsg_type != IP_PKTINFO || message.msg_flags & MSG_TRUNC) continue;
    struct in_pktinfo about;
    memcpy(&about, CMSG_DATA(c), sizeof about);
    pass_on(&from, about.ipi_addr, payload, (size_t)n);
  }
  loop_again(s);
}

void datagram_answer(uint32_t id, const uint8_t *bytes, size_t length) {
  struct pending *p = &pending[id % MAX_PENDING];
  if (!id || p->id != id || now_ms() > p->until) return;
  p->id = 0;
  union packet_info info = {0};
  struct iovec part = {(void *)bytes, length};
  struct msghdr message = {
      .msg_name = &p->from, .msg_namelen = sizeof p->from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &info, .msg_controllen = sizeof info};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  struct in_pktinfo about = {.ipi_spec_dst = p->to};
  c->cmsg_level = IPPROTO_IP;
  c->cmsg_type = IP_PKTINFO;
  c->cmsg_len = CMSG_LEN(sizeof about);
  memcpy(CMSG_DATA(c), &about, sizeof about);
  sendmsg(dns.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}
