#pragma once

#include <map>
#include <mutex>
#include <string>

#include "codegen/latency/table.h"
#include "core/latency_model.h"
#include "core/target.h"

namespace xgen::latency {

/// Predicts layers from a table: for layers that were never generated, and devices not at hand.
///
/// What a layer's kernel does is counted once, by lowering the layer alone with a seeded mask; that
/// takes milliseconds, every further prediction of the same layer about a microsecond.
class FittedLatency final : public LatencyModel {
 public:
  /// A table without fits serves by the static estimate.
  FittedLatency(LatencyTable table, Target target);

  double latency_us(const LayerShape& shape, const LayerVariant& variant) const override;
  Prediction predict(const LayerShape& shape, const LayerVariant& variant) const;
  /// Of a whole network that is lowered for the target, or of one of its steps.
  Prediction predict(const Program& program) const { return table_.predict(program, machine_); }
  Prediction predict(const Program& program, int step) const;
  /// "predicted for NAME by the table of CPU", or "by the static estimate".
  std::string source() const override;
  const Platform& platform() const { return table_.platform(); }
  bool is_estimate() const { return table_.fits().empty(); }  ///< no kernel was measured.

 private:
  LatencyTable table_;
  Target target_;
  Machine machine_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Prediction> known_;  ///< by layer and variant.
};

}  // namespace xgen::latency
