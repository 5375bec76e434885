#include "prune/algorithms/algorithm.h"

#include "core/error.h"
#include "prune/algorithms/list.h"

namespace xgen::prune {

#define DECLARE(id, trains, help) std::unique_ptr<Algorithm> make_##id(AlgorithmContext);
XGEN_ALGORITHMS(DECLARE)
#undef DECLARE

std::unique_ptr<Algorithm> make_algorithm(AlgorithmContext context) {
#define MAKE(id, trains, help) \
  if (context.config.name == #id) return make_##id(std::move(context));
  XGEN_ALGORITHMS(MAKE)
#undef MAKE
  XGEN_CHECK(false, "algorithm ", context.config.name);
  return nullptr;
}

bool trains(const std::string& wanted) {
#define TRAINS(id, trains, help) \
  if (wanted == #id) return trains;
  XGEN_ALGORITHMS(TRAINS)
#undef TRAINS
  return false;
}

torch::Tensor restored(const Params& state, const std::string& key, const torch::Tensor& like) {
  const auto it = state.find(key);
  if (it == state.end() || it->second.sizes() != like.sizes())
    throw UserError(::xgen::str("checkpoint: expected the state \"", key, "\" of shape ",
                                like.sizes(),
                                it == state.end() ? ", got nothing" : ", got another shape"));
  return it->second.to(like.options(), false, true);
}

}  // namespace xgen::prune
