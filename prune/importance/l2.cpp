#include "prune/importance/importance.h"

namespace xgen::prune {

extern const Importance importance_l2{
    .scores = [](const Evidence& e) { return e.weight.square(); }};

}  // namespace xgen::prune
