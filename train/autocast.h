#pragma once

#include <c10/core/Device.h>

namespace xgen::train {

/// While it lives, convolutions and matrix products of this thread on `device` are computed in
/// bfloat16 where `on`, in the types of their inputs where not; losses and other reductions stay
/// fp32, as the weights do. The innermost one counts.
///
/// Source: Micikevicius et al., "Mixed precision training" (arXiv:1710.03740), in the type of
/// Kalamkar et al. (arXiv:1905.12322), which needs no scaling of the loss.
class Autocast {
 public:
  Autocast(c10::Device device, bool on);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::Device device_;
  bool before_;
  bool cached_;  ///< weights in bfloat16, which the next step changes.
};

}  // namespace xgen::train
