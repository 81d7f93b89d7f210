/* Answers the instruction CPUID, where a trap stands in its place, without AVX-512.
   Loaded before other libraries by benchmarks/without_avx512.py. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#define BIT(n) (1u << (n))

/* Bits of leaf 7 that stand for AVX-512 or for extensions of it, AMX among them. */
#define AVX512_EBX (BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
#define AVX512_ECX (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define AVX512_EDX (BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25))
/* Of its first part: AVX-VNNI, bfloat16, AVX-IFMA. */
#define AVX512_EAX (BIT(4) | BIT(5) | BIT(23))

static void answer(int number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  unsigned leaf = registers[REG_RAX], part = registers[REG_RCX];
  unsigned a, b, c, d;
  (void)number, (void)info;
  __cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 0) b &= ~AVX512_EBX, c &= ~AVX512_ECX, d &= ~AVX512_EDX;
  if (leaf == 7 && part == 1) a &= ~AVX512_EAX;
  registers[REG_RAX] = a, registers[REG_RBX] = b;
  registers[REG_RCX] = c, registers[REG_RDX] = d;
}

__attribute__((constructor)) static void install(void) {
  struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGTRAP, &action, 0);
}
