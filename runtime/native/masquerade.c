/*
 * The one use of netfilter, in the gateway's own network namespace. Where the engine's host passes bridged packets to its
 * firewall (br_netfilter, which dockerd switches on), it sees a packet of a sandbox first on its way to the gateway, and notes
 * its connection as one without address translation; so what the gateway hands on unchanged is the same connection, leaves
 * the machine with an address that nobody knows, and no answer comes back. Handed on from the gateway's own address it is
 * another. A kernel that has no nf_tables has no such host either.
 *
 *     table ip moorage { chain out { type nat hook postrouting priority 100; masquerade } }
 */
#include "masquerade.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "moorage"
#define CHAIN "out"
#define SOURCE_NAT 100 /* the priority of its kind */

/* Messages one behind the other, as the kernel wants a change of tables: all of it or nothing. */
struct batch {
  uint8_t bytes[1024];
  uint32_t length;
  struct nlmsghdr *message;
};

static void message(struct batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
  struct nfgenmsg body = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
  b->message = (struct nlmsghdr *)(b->bytes + b->length);
  b->message->nlmsg_type = type;
  b->message->nlmsg_flags = NLM_F_REQUEST | flags;
  b->message->nlmsg_len = NLMSG_LENGTH(sizeof body);
  memcpy(NLMSG_DATA(b->message), &body, sizeof body);
  b->length += NLMSG_SPACE(sizeof body);
}

static void table_message(struct batch *b, uint16_t what, uint16_t flags) {
  message(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_CREATE | NLM_F_ACK | flags, NFPROTO_IPV4, 0);
}

static struct nlattr *attribute(struct batch *b, uint16_t type, const void *value, size_t size) {
  struct nlattr *a = (struct nlattr *)(b->bytes + b->length);
  a->nla_type = type;
  a->nla_len = (uint16_t)(NLA_HDRLEN + size);
  if (size) memcpy(b->bytes + b->length + NLA_HDRLEN, value, size);
  b->length += NLA_ALIGN(a->nla_len);
  b->message->nlmsg_len = (uint32_t)(b->bytes + b->length - (uint8_t *)b->message);
  return a;
}

static struct nlattr *nest(struct batch *b, uint16_t type) {
  return attribute(b, type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct batch *b, struct nlattr *nested) {
  nested->nla_len = (uint16_t)(b->bytes + b->length - (uint8_t *)nested);
}

/* The kernel answers within the send: what is not there now does not come. */
static int outcome(int fd) {
  _Alignas(struct nlmsghdr) uint8_t answer[4096];
  int error = 0, answers = 0;
  for (ssize_t n; (n = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) > 0;) {
    int left = (int)n;
    for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type != NLMSG_ERROR) continue;
      answers++;
      if (!error) error = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
    }
  }
  return answers ? error : EPROTO;
}

int masquerade(void) {
  static struct batch b; /* aligned as its pointer is */
  uint32_t hook = htonl(NF_INET_POST_ROUTING), priority = htonl(SOURCE_NAT);
  message(&b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  table_message(&b, NFT_MSG_NEWTABLE, 0);
  attribute(&b, NFTA_TABLE_NAME, NAME, sizeof NAME);
  table_message(&b, NFT_MSG_NEWCHAIN, 0);
  attribute(&b, NFTA_CHAIN_TABLE, NAME, sizeof NAME);
  attribute(&b, NFTA_CHAIN_NAME, CHAIN, sizeof CHAIN);
  struct nlattr *where = nest(&b, NFTA_CHAIN_HOOK);
  attribute(&b, NFTA_HOOK_HOOKNUM, &hook, sizeof hook);
  attribute(&b, NFTA_HOOK_PRIORITY, &priority, sizeof priority);
  nest_end(&b, where);
  attribute(&b, NFTA_CHAIN_TYPE, "nat", sizeof "nat");
  table_message(&b, NFT_MSG_NEWRULE, NLM_F_APPEND);
  attribute(&b, NFTA_RULE_TABLE, NAME, sizeof NAME);
  attribute(&b, NFTA_RULE_CHAIN, CHAIN, sizeof CHAIN);
  struct nlattr *expressions = nest(&b, NFTA_RULE_EXPRESSIONS), *one = nest(&b, NFTA_LIST_ELEM);
  attribute(&b, NFTA_EXPR_NAME, "masq", sizeof "masq");
  nest_end(&b, one);
  nest_end(&b, expressions);
  message(&b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);

  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return errno;
  int error = send(fd, b.bytes, b.length, 0) < 0 ? errno : outcome(fd);
  close(fd);
  return error;
}
