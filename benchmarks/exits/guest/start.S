# SPDX-License-Identifier: Apache-2.0
#
# How both processors come to C, and where faults go.

        .set    STACK, 0x4000
        .set    TRAMPOLINE, 0x8000      # the first processor copies it there

# Multiboot: magic, flags, checksum. The ELF header says where to load.
        .section .multiboot, "a"
        .balign 4
        .long   0x1badb002, 0, -0x1badb002

        .text
        .code32
        .globl  start
start:
        cli
        cld
        lgdt    gdt_pointer
        ljmp    $0x08, $1f
1:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stacks + STACK, %esp
        call    probe_main
halt:
        cli
        hlt
        jmp     halt

# The second processor starts here, in real mode, at TRAMPOLINE.
        .globl  trampoline, trampoline_end
        .code16
trampoline:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   TRAMPOLINE + (gdt_pointer_copy - trampoline)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $0x08, $second
gdt_pointer_copy:
        .word   gdt_end - gdt - 1
        .long   gdt
trampoline_end:

        .code32
second:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stacks + 2 * STACK, %esp
        cld
        call    second_main
        jmp     halt

# A processor's exceptions: the vector, then what the processor pushed.
        .globl  fault_stubs
fault_stubs:
        .set    vector, 0
        .rept   32
        .balign 16
        pushl   $vector
        pushl   $0                      # nowhere to return to
        jmp     fault
        .set    vector, vector + 1
        .endr

        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      # code, all four gibibytes
        .quad   0x00cf93000000ffff      # data, likewise
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt

        .bss
        .balign 16
stacks:
        .space  2 * STACK
