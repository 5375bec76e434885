#pragma once

#include <map>
#include <set>
#include <string>

#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/timed_model.h"
#include "codegen/program.h"

/// Law 1: a compressed layer is kept only where its kernel is faster than its dense twin.
namespace xgen::latency {

/// A program and its loaded form.
struct Twin {
  const Program& program;
  TimedModel& model;
};

/// A convolution's kernel in the compressed program and in the dense one, in microseconds.
struct TwinTimes {
  double compressed_us = 0, dense_us = 0;
};

/// By node.
using LayerTwinTimes = std::map<std::string, TwinTimes>;

/// Times every convolution of `compressed` against that of the same node in `dense`, each within
/// runs of its program, which take turns.
LayerTwinTimes time_twins(Twin compressed, Twin dense);

/// The same by prediction, where the kernels do not run on this machine.
LayerTwinTimes predict_twins(const Program& compressed, const Program& dense,
                             const FittedLatency& model);

/// The nodes of `program` whose pruned kernels are not faster than their dense twins: what
/// lower_dense() takes.
std::set<std::string> losers(const Program& program, const LayerTwinTimes& times);

}  // namespace xgen::latency
