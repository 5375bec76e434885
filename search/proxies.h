#pragma once

#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "train/data/batch.h"

namespace xgen::search {

/// A guess at the accuracy that a network will have, from its weights before training. Larger is
/// better. Scores order networks that were initialised alike and see the same batch; those of one
/// proxy say nothing about another's. -inf and inf are scores, NaN is none.
///
/// @param network  one input of images, one output of logits, with weights as they are initialised;
///                 all-zero weights, as of a network that was only built to be costed, score
///                 lowest.
/// @param batch    at least two images, for naswot some dozens, with labels; not augmented.
///
/// Sums depend in their last bits on the number of threads, as training does.
using Proxy = double (*)(const ir::Graph& network, const train::Batch& batch);

/// The proxy of a name of proxies.inc. @throws UserError with a suggestion; `where` says where the
/// name stands.
Proxy find_proxy(const std::string& name, const std::string& where);
std::vector<std::string> proxy_names();
/// What a proxy says, with so many threads.
double score(Proxy proxy, const ir::Graph& network, const train::Batch& batch, int threads);

#define XGEN_PROXY(name, description) \
  double name##_proxy(const ir::Graph& network, const train::Batch& batch);
#include "search/proxies.inc"
#undef XGEN_PROXY

}  // namespace xgen::search
