#include "codegen/latency/fitted_latency.h"

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "core/error.h"

namespace xgen::latency {

FittedLatency::FittedLatency(LatencyTable table, Target target)
    : table_(std::move(table)),
      target_(std::move(target)),
      machine_(machine_of(target_, table_.platform().kernels)) {
  if (table_.platform().target != target_.name)
    throw UserError(str("latency table of target \"", table_.platform().target,
                        "\": expected one of target \"", target_.name, "\""));
}

Prediction FittedLatency::predict(const LayerShape& shape, const LayerVariant& variant) const {
  const std::string key = str(to_string(shape), " | ", to_string(variant));
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  const Program program = lower::lower(single_layer(shape, variant), lowering_for(target_));
  return known_[key] = predict(program, layer_step(program));
}

Prediction FittedLatency::predict(const Program& program, int step) const {
  const Step& of = program.steps[static_cast<std::size_t>(step)];
  return table_.predict(work_of(program, of, machine_), machine_);
}

double FittedLatency::latency_us(const LayerShape& shape, const LayerVariant& variant) const {
  return predict(shape, variant).us;
}

std::string FittedLatency::source() const {
  return table_.fits().empty() ? str("estimated from the description of ", target_.name, " with ",
                                     table_.platform().kernels)
                               : str("predicted by a table of ", table_.platform().cpu, " with ",
                                     table_.platform().kernels);
}

}  // namespace xgen::latency
