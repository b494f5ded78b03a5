// Protects what PT_GNU_RELRO names, once relocation is done: musl does it for what its dynamic
// loader loads, and not for a static executable. Linked into every one by the wrappers.

#include <elf.h>
#include <link.h>

extern char **__environ __attribute__((weak)); // not in a program without a C library

static void protect(unsigned long start, unsigned long size)
{
    const long readable = 1; // PROT_READ
#if defined(__x86_64__)
    long result = 10;
    __asm__ volatile("syscall" : "+a"(result) : "D"(start), "S"(size), "d"(readable)
                     : "rcx", "r11", "memory");
#elif defined(__i386__)
    long result = 125;
    __asm__ volatile("xchg %%esi, %%ebx\n\tint $0x80\n\txchg %%esi, %%ebx"
                     : "+a"(result) : "S"(start), "c"(size), "d"(readable) : "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = 226, one __asm__("x0") = start;
    register long two __asm__("x1") = size, three __asm__("x2") = readable;
    __asm__ volatile("svc 0" : "+r"(one) : "r"(number), "r"(two), "r"(three) : "memory", "cc");
#elif defined(__arm__)
    register long one __asm__("r0") = start, two __asm__("r1") = size, three __asm__("r2") = readable;
    __asm__ volatile("push {r7}\n\tmov r7, #125\n\tsvc 0\n\tpop {r7}"
                     : "+r"(one) : "r"(two), "r"(three) : "memory", "cc");
#elif defined(__riscv)
    register long number __asm__("a7") = 226, one __asm__("a0") = start;
    register long two __asm__("a1") = size, three __asm__("a2") = readable;
    __asm__ volatile("ecall" : "+r"(one) : "r"(number), "r"(two), "r"(three) : "memory");
#elif defined(__powerpc64__)
    register long number __asm__("r0") = 125, one __asm__("r3") = start;
    register long two __asm__("r4") = size, three __asm__("r5") = readable;
    __asm__ volatile("sc" : "+r"(number), "+r"(one), "+r"(two), "+r"(three)
                     :: "memory", "cr0", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
#elif defined(__s390x__)
    register long number __asm__("r1") = 125, one __asm__("r2") = start;
    register long two __asm__("r3") = size, three __asm__("r4") = readable;
    __asm__ volatile("svc 0" : "+d"(one) : "d"(number), "d"(two), "d"(three) : "memory");
#else
#error "no system call for this processor"
#endif
}

__attribute__((constructor(101))) static void protect_relro(void)
{
    if (!&__environ || !__environ)
        return;
    char **end = __environ;
    while (*end)
        end++;
    unsigned long page = 0, count = 0, base = 0;
    const ElfW(Phdr) *headers = 0;
    for (const ElfW(auxv_t) *entry = (void *)(end + 1); entry->a_type; entry++) {
        if (entry->a_type == AT_PAGESZ) page = entry->a_un.a_val;
        if (entry->a_type == AT_PHNUM) count = entry->a_un.a_val;
        if (entry->a_type == AT_PHDR) headers = (void *)entry->a_un.a_val;
    }
    unsigned long known = 0;
    for (unsigned long i = 0; headers && i < count; i++)
        if (headers[i].p_type == PT_PHDR)
            known = 1, base = (unsigned long)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; known && page && i < count; i++)
        if (headers[i].p_type == PT_GNU_RELRO) {
            // A page that only begins with it holds data of others.
            unsigned long start = (base + headers[i].p_vaddr) & -page;
            unsigned long stop = (base + headers[i].p_vaddr + headers[i].p_memsz) & -page;
            if (start < stop)
                protect(start, stop - start);
        }
}
