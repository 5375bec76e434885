#include "prune/importance/importance.h"

/// What a weight adds to its output: its square times the mean square of the channel it reads.
///
/// Source: Sun et al., Wanda, arXiv:2306.11695.
namespace xgen::prune {

extern const Importance importance_activation{
    .inputs = true, .scores = [](const Evidence& e) {
      return e.weight.square() * e.input_square.view({1, -1, 1, 1});
    }};

}  // namespace xgen::prune
