// SPDX-License-Identifier: Apache-2.0
// RM_INLINE: what every request runs through is put where it is called, whatever the compiler
// thinks of its size. Only in a release: elsewhere it would blur stacks and make warnings up.
#pragma once

#ifdef RM_EXPENSIVE_CHECKS
#define RM_INLINE
#else
#define RM_INLINE [[gnu::always_inline]]
#endif
