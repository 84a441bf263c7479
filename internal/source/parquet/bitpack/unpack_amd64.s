#include "textflag.h"

// func unpackGroups(dst *uint32, src *byte, n, w int, s *shape) uint32
TEXT ·unpackGroups(SB), NOSPLIT, $0-44
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	MOVQ         w+24(FP), BX
	MOVQ         s+32(FP), DX
	VMOVDQU      (DX), Y1
	VMOVDQU      32(DX), Y2
	VPBROADCASTD 64(DX), Y3
	MOVL         68(DX), R8
	ADDQ         SI, R8
	VPXOR        Y4, Y4, Y4

group:
	VMOVDQU     (SI), X0
	VINSERTI128 $1, (R8), Y0, Y0
	VPSHUFB     Y1, Y0, Y0
	VPSRLVD     Y2, Y0, Y0
	VPAND       Y3, Y0, Y0
	VMOVDQU     Y0, (DI)
	VPMAXUD     Y0, Y4, Y4
	ADDQ        BX, SI
	ADDQ        BX, R8
	ADDQ        $32, DI
	DECQ        CX
	JNZ         group

	VEXTRACTI128 $1, Y4, X0
	VPMAXUD      X0, X4, X4
	VPSHUFD      $0x4E, X4, X0
	VPMAXUD      X0, X4, X4
	VPSHUFD      $0xB1, X4, X0
	VPMAXUD      X0, X4, X4
	VMOVD        X4, AX
	VZEROUPPER
	MOVL         AX, ret+40(FP)
	RET
