#include "textflag.h"

// func elements(dst *byte, d, dlimit int, src *byte, s, slimit int, shapes *uint32) (nd, ns int)
//
// One turn does a literal of at most 4 bytes, if there is one, and the copy behind it, from one word of input: no
// branch depends on which kinds they are. Elements that do not fit this leave the turn.
//
// R10 output begins, DI output, R9 its limit, R15 input begins, SI input, R8 its limit, R11 shapes.
TEXT ·elements(SB), NOSPLIT, $0-72
	MOVQ dst+0(FP), R10
	MOVQ d+8(FP), DI
	ADDQ R10, DI
	MOVQ dlimit+16(FP), R9
	ADDQ R10, R9
	MOVQ src+24(FP), R15
	MOVQ s+32(FP), SI
	ADDQ R15, SI
	MOVQ slimit+40(FP), R8
	ADDQ R15, R8
	MOVQ shapes+48(FP), R11
	XORL DX, DX

turn:
	CMPQ SI, R8
	JAE  done
	CMPQ DI, R9
	JAE  done
	MOVQ (SI), AX

	// CX = bits of the literal with its tag, 0 if there is none. A literal's tag is 4 * (length - 1).
	LEAL    16(AX)(AX*1), CX
	MOVBLZX AX, BX
	TESTL   $3, AX
	CMOVLNE DX, CX
	CMOVLNE DX, BX
	CMPL    BX, $12
	JA      literal
	MOVQ    AX, R12
	SHRQ    $8, R12
	MOVQ    R12, (DI)
	SHRXQ   CX, AX, AX
	SHRL    $3, CX
	ANDL    $7, CX
	ADDQ    CX, SI
	LEAQ    1(SI), R13
	SUBL    $1, CX
	ADCL    $0, CX
	ADDQ    CX, DI

	// The copy: BX = length, AX = offset, R12 = kind, that is bytes of the offset.
	MOVBLZX AX, BX
	MOVL    (R11)(BX*4), BX
	MOVL    AX, R12
	ANDL    $3, R12
	ADDQ    R12, R13
	SHLL    $3, R12
	SHRQ    $8, AX
	BZHIQ   R12, AX, AX
	MOVL    BX, R12
	SHRL    $8, R12
	ORQ     R12, AX
	MOVBLZX BX, BX
	CMPL    BX, $16
	JA      long
	CMPQ    BX, AX
	JA      overlap
	MOVQ    DI, R12
	SUBQ    AX, R12
	CMPQ    R12, R10
	JB      done
	MOVOU   (R12), X0
	MOVOU   X0, (DI)
	ADDQ    BX, DI
	MOVQ    R13, SI
	CMPQ    AX, $8
	JNE     turn
	JMP     eight

long:
	// A copy of up to 64 bytes that does not overlap, or not a copy.
	CMPL  BX, $64
	JA    done
	CMPQ  BX, AX
	JA    overlap
	MOVQ  DI, R12
	SUBQ  AX, R12
	CMPQ  R12, R10
	JB    done
	MOVOU (R12), X0
	MOVOU X0, (DI)
	MOVOU 16(R12), X0
	MOVOU X0, 16(DI)
	CMPL  BX, $32
	JBE   longEnd
	MOVOU 32(R12), X0
	MOVOU X0, 32(DI)
	MOVOU 48(R12), X0
	MOVOU X0, 48(DI)

longEnd:
	ADDQ BX, DI
	MOVQ R13, SI
	JMP  turn

literal:
	// A literal of 5 to 60 bytes; BX is its tag.
	SHRL  $2, BX
	LEAL  1(BX), CX
	CMPL  CX, $60
	JA    done
	MOVOU 1(SI), X0
	MOVOU X0, (DI)
	CMPL  CX, $16
	JBE   literalEnd
	MOVOU 17(SI), X0
	MOVOU X0, 16(DI)
	CMPL  CX, $32
	JBE   literalEnd
	MOVOU 33(SI), X0
	MOVOU X0, 32(DI)
	MOVOU 49(SI), X0
	MOVOU X0, 48(DI)

literalEnd:
	ADDQ CX, DI
	LEAQ 1(SI)(CX*1), SI
	JMP  turn

overlap:
	// A copy of what is being written, word by word.
	CMPQ AX, $8
	JB   done
	MOVQ DI, R12
	SUBQ AX, R12
	CMPQ R12, R10
	JB   done
	ADDQ DI, BX

overlapWord:
	MOVQ (R12), AX
	MOVQ AX, (DI)
	ADDQ $8, R12
	ADDQ $8, DI
	CMPQ DI, BX
	JB   overlapWord
	MOVQ BX, DI
	MOVQ R13, SI
	JMP  turn

eight:
	// Ascending 8-byte numbers: a literal of 1 to 4 bytes and a copy of 4 to 8 bytes from 8 bytes back, again and again.
	// The last 8 bytes stay in R14: to load what was stored in parts just before would wait for the stores.
	MOVQ -8(DI), R14

eightTurn:
	CMPQ  SI, R8
	JAE   done
	CMPQ  DI, R9
	JAE   done
	MOVQ  (SI), AX
	TESTL $0xF3, AX
	JNE   turn
	LEAL  16(AX)(AX*1), CX
	ANDL  $0x38, CX
	SHRXQ CX, AX, BX
	SHRQ  $8, AX
	MOVL  BX, R12
	ANDL  $0xFFE3, R12
	CMPL  R12, $0x0801
	JNE   turn
	SHRL  $2, BX
	ANDL  $7, BX
	ADDL  $4, BX
	CMPL  BX, $8
	JA    turn

	// R14 shifts the literal in.
	SUBL  $8, CX
	MOVQ  AX, (DI)
	SHRXQ CX, R14, R14
	MOVL  CX, R12
	NEGL  R12
	SHLXQ R12, AX, AX
	ORQ   AX, R14
	SHRL  $3, CX
	ADDQ  CX, DI
	LEAQ  3(SI)(CX*1), SI

	// It is what is copied, and then it turns by the copy's length.
	MOVQ  R14, (DI)
	ADDQ  BX, DI
	SHLL  $3, BX
	MOVL  BX, R12
	NEGL  R12
	SHRXQ BX, R14, AX
	SHLXQ R12, R14, R14
	ORQ   AX, R14
	JMP   eightTurn

done:
	SUBQ R10, DI
	MOVQ DI, nd+56(FP)
	SUBQ R15, SI
	MOVQ SI, ns+64(FP)
	RET
