# SPDX-License-Identifier: Apache-2.0
#
# A boot sector that writes CPUID leaves to the first serial port.
#
# One line for each leaf: its number and EAX, EBX, ECX, EDX, as eight hex
# digits each; after the last leaf a line "end". Then it halts. Built by
#
#   as --32 -o cpuid.o cpuid.S
#   ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o cpuid.bin cpuid.o

        .code16
        .globl  _start

        .set    COM1, 0x3f8             # data; divisor low
        .set    COM1_IER, COM1 + 1      # interrupt enable; divisor high
        .set    COM1_LCR, COM1 + 3      # line control
        .set    COM1_LSR, COM1 + 5      # line status

_start:
        cli
        cld
        ljmp    $0, $start              # some firmware starts at 07c0:0000
start:
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp

        movw    $COM1_IER, %dx          # no interrupts
        xorb    %al, %al
        outb    %al, %dx
        movw    $COM1_LCR, %dx          # 115200 baud: a divisor of one
        movb    $0x80, %al
        outb    %al, %dx
        movw    $COM1, %dx
        movb    $1, %al
        outb    %al, %dx
        movw    $COM1_IER, %dx
        xorb    %al, %al
        outb    %al, %dx
        movw    $COM1_LCR, %dx          # eight bits, no parity, one stop bit
        movb    $3, %al
        outb    %al, %dx

        movw    $leaves, %si
next:
        lodsl
        testl   %eax, %eax
        jz      last
        movl    %eax, %edi
        call    put_hex
        movl    %edi, %eax
        xorl    %ecx, %ecx
        cpuid
        pushl   %edx
        pushl   %ecx
        pushl   %ebx
        call    put_hex
        popl    %eax
        call    put_hex
        popl    %eax
        call    put_hex
        popl    %eax
        call    put_hex
        call    put_newline
        jmp     next
last:
        movb    $'e', %al
        call    put
        movb    $'n', %al
        call    put
        movb    $'d', %al
        call    put
        call    put_newline
halt:
        hlt
        jmp     halt

# Writes EAX and a space. Clobbers EAX, ECX and EBP.
put_hex:
        movl    %eax, %ebp
        movw    $8, %cx
1:
        roll    $4, %ebp
        movw    %bp, %ax
        andb    $0x0f, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     2f
        addb    $('a' - '9' - 1), %al
2:
        call    put
        loop    1b
        movb    $' ', %al
        jmp     put

put_newline:
        movb    $'\r', %al
        call    put
        movb    $'\n', %al

# Writes AL. Clobbers AH and DX.
put:
        movb    %al, %ah
        movw    $COM1_LSR, %dx
1:
        inb     %dx, %al                # bit 5: ready for the next character
        testb   $0x20, %al
        jz      1b
        movb    %ah, %al
        movw    $COM1, %dx
        outb    %al, %dx
        ret

        .balign 4
leaves:
        .long   0x00000001
        .long   0x40000000, 0x40000001, 0x40000002, 0x40000003
        .long   0x40000004, 0x40000005, 0x40000006, 0x40000007
        .long   0x40000008, 0x40000009, 0x4000000a
        .long   0x40000080, 0x40000081, 0x40000082
        .long   0x40000100, 0x40000101
        .long   0

        .org    _start + 510
        .word   0xaa55
