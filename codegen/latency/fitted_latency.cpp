#include "codegen/latency/fitted_latency.h"

#include "codegen/compile.h"
#include "codegen/latency/layer_work.h"
#include "core/error.h"

namespace xgen::latency {

FittedLatency::FittedLatency(LatencyTable table, Target target)
    : table_(std::move(table)),
      target_(std::move(target)),
      lowering_(lowering_for(target_)),
      machine_(table_.machine(target_)) {
  if (table_.platform().target != target_.name)
    throw UserError(str("latency table of target \"", table_.platform().target,
                        "\": expected one of target \"", target_.name, "\""));
}

Prediction FittedLatency::predict(const LayerShape& shape, const LayerVariant& variant) const {
  const std::string key = str(to_string(shape), " | ", to_string(variant));
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  return known_[key] = table_.predict(layer_work(shape, variant, lowering_, machine_), machine_);
}

std::vector<Prediction> FittedLatency::predict_steps(const Program& program) const {
  std::vector<Prediction> steps;
  for (const Work& work : table_.works(program, machine_))
    steps.push_back(table_.predict(work, machine_));
  return steps;
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
