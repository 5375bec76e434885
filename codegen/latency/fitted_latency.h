#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "codegen/latency/table.h"
#include "codegen/lower/context.h"
#include "core/latency_model.h"
#include "core/target.h"

namespace xgen::latency {

/// Predicts layers from a table: for layers that were never generated, and devices not at hand.
///
/// What a layer's kernel does is counted once, from its shape and variant alone.
class FittedLatency final : public LatencyModel {
 public:
  /// A table without fits serves by the static estimate.
  FittedLatency(LatencyTable table, Target target);

  double latency_us(const LayerShape& shape, const LayerVariant& variant) const override;
  Prediction predict(const LayerShape& shape, const LayerVariant& variant) const;
  /// Of a whole network that is lowered for the target, and of each of its steps.
  Prediction predict(const Program& program) const { return table_.predict(program, machine_); }
  std::vector<Prediction> predict_steps(const Program& program) const;
  /// "predicted for NAME by the table of CPU", or "by the static estimate".
  std::string source() const override;
  const Platform& platform() const { return table_.platform(); }
  bool is_estimate() const { return table_.fits().empty(); }  ///< no kernel was measured.

 private:
  LatencyTable table_;
  Target target_;
  lower::LowerOptions lowering_;
  Machine machine_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Prediction> known_;  ///< by layer and variant.
};

}  // namespace xgen::latency
