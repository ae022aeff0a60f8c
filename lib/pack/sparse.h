/* SPDX-License-Identifier: MIT */
/* Files with holes: which form they get, chosen before anything is packed, and their jobs. */
#ifndef ERO_PACK_SPARSE_H
#define ERO_PACK_SPARSE_H

#include "pack/job.h"

/* Chooses a form for each file whose holes are worth one, in pack->sparse. -EFBIG for holes that cost more than options->max_waste. */
int ero_pack_find_sparse(struct ero_pack *pack, struct ero_error *err);
/* What was chosen for a file; NULL: it is stored as others are. */
const struct ero_sparse *ero_pack_sparse(const struct ero_pack *pack, const struct ero_node *node);
int ero_pack_sparse_file(struct ero_packer *packer, struct ero_node *node, const struct ero_sparse *sparse, struct ero_error *err);
/* All of them, before others. */
int ero_pack_sparse_files(struct ero_packer *packer, struct ero_error *err);

#endif
