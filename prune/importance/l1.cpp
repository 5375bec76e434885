#include "prune/importance/importance.h"

namespace xgen::prune {

extern const Importance importance_l1{.scores = [](const Evidence& e) { return e.weight.abs(); }};

}  // namespace xgen::prune
