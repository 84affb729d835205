/*
 * The wires' constants and the few lines that put numbers into frames: the C side of runtime/protocol/frames.ts, agent.ts
 * and gateway.ts. A test reads the #defines and compares them with the TypeScript.
 *
 *     u32 length of the payload | u8 type | u32 id | payload        (little endian)
 */
#ifndef MOORAGE_FRAME_H
#define MOORAGE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 1
#define WIRE_VERSION_TEXT "1"
#define MAX_PAYLOAD_BYTES 65536
#define HEADER_BYTES 9
#define MAX_COMMAND_BYTES 6291456
#define WINDOW_BYTES 1048576
#define SECRET_BYTES 32

/* On stdin. */
#define CLAIM 1

/* Runtime to agent. */
#define TO_AGENT_RUN 16
#define TO_AGENT_SPAWN 17
#define TO_AGENT_DATA 18
#define TO_AGENT_EOF 19
#define TO_AGENT_CREDIT 20
#define TO_AGENT_SIGNAL 21
#define TO_AGENT_RESIZE 22
#define TO_AGENT_DIAL 23
#define TO_AGENT_CLOSE 24
#define TO_AGENT_EXITED 25
#define TO_AGENT_ASK 26
#define TO_AGENT_END 27
#define TO_AGENT_PART 28
#define TO_AGENT_HANG_UP 29

/* Agent to runtime. */
#define FROM_AGENT_HELLO 32
#define FROM_AGENT_STARTED 33
#define FROM_AGENT_FAILED 34
#define FROM_AGENT_DATA 35
#define FROM_AGENT_EOF 36
#define FROM_AGENT_CREDIT 37
#define FROM_AGENT_EXIT 38
#define FROM_AGENT_OPENED 39
#define FROM_AGENT_FACT 40
#define FROM_AGENT_COUNTS 41

#define STREAM_CONNECTION 0
#define STREAM_STDOUT 1
#define STREAM_STDERR 2

#define STEP_COMMAND 0
#define STEP_FORK 1
#define STEP_EXEC 2
#define STEP_CWD 3
#define STEP_PERMISSION 4
#define STEP_USER 5
#define STEP_PIPE 6
#define STEP_PTY 7
#define STEP_CONNECT 8
#define STEP_LIMIT 9

#define FACT_STATUS 1
#define FACT_LISTENING 2
#define FACT_CPU 3
#define FACT_MEMORY 4
#define FACT_MEMORY_STAT 5

#define COMMAND_FLAG_STDIN 1
#define COMMAND_FLAG_NO_STDOUT 2
#define COMMAND_FLAG_NO_STDERR 4
#define COMMAND_FLAG_COMBINED 8
#define COMMAND_FLAG_PTY 16

#define AGENT_MAGIC "MRGA"
#define OPENING_BYTES 37

/* Gateway. */
#define GATEWAY_MAGIC "MRGG"
#define RUNTIME_PORT 7001
#define AGENT_PORT 7002
#define DNS_PORT 53

#define KIND_CONTROL 1
#define KIND_PARKED 2

#define VERDICT_TAKE 1
#define VERDICT_DIRECT 2
#define VERDICT_REFUSE 3

#define TO_GATEWAY_COVER 16
#define TO_GATEWAY_UNCOVER 17
#define TO_GATEWAY_INTERNET 18
#define TO_GATEWAY_ANSWER 19
#define TO_GATEWAY_REFUSE 20

#define FROM_GATEWAY_DONE 32
#define FROM_GATEWAY_DATAGRAM 33

static inline void put16(uint8_t *at, uint16_t n) {
  at[0] = (uint8_t)n;
  at[1] = (uint8_t)(n >> 8);
}

static inline void put32(uint8_t *at, uint32_t n) {
  put16(at, (uint16_t)n);
  put16(at + 2, (uint16_t)(n >> 16));
}

static inline void put64(uint8_t *at, uint64_t n) {
  put32(at, (uint32_t)n);
  put32(at + 4, (uint32_t)(n >> 32));
}

static inline uint16_t get16(const uint8_t *at) {
  return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t get32(const uint8_t *at) {
  return get16(at) | (uint32_t)get16(at + 2) << 16;
}

/* Writes a frame's header to `at`. */
static inline void put_header(uint8_t *at, uint32_t length, uint8_t type, uint32_t id) {
  put32(at, length);
  at[4] = type;
  put32(at + 5, id);
}

#endif
