#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "quantize/observer.h"

namespace xgen::quantize {

/// Runs a network: a batch in, the wanted values out, by name.
using ValuesOf = std::function<std::map<std::string, torch::Tensor>(
    const torch::Tensor& batch, const std::vector<std::string>& values)>;

/// Observes values while batches come, in memory that does not depend on how many.
class RangeCollector {
 public:
  explicit RangeCollector(std::vector<std::string> values);

  /// @throws UserError for a value that is not finite, with its name.
  void observe(const std::map<std::string, torch::Tensor>& values);
  std::map<std::string, ActivationRange> ranges(const QuantizeConfig& config) const;
  const std::vector<std::string>& values() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, Observer> observers_;
};

/// Ranges of `values` over batches. @param next  gives a batch, or an undefined tensor at the end.
/// At most config.calibration_samples samples are taken; the last batch is cut.
std::map<std::string, ActivationRange> collect_ranges(const ValuesOf& values_of,
                                                      const std::function<torch::Tensor()>& next,
                                                      const std::vector<std::string>& values,
                                                      const QuantizeConfig& config);

}  // namespace xgen::quantize
