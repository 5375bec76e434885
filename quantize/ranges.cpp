#include "quantize/ranges.h"

#include <algorithm>
#include <cmath>

namespace xgen::quantize {

RangeCollector::RangeCollector(std::vector<std::string> values) : names_(std::move(values)) {
  for (const std::string& name : names_) observers_[name];
}

void RangeCollector::observe(const std::map<std::string, torch::Tensor>& values) {
  for (auto& [name, observer] : observers_) {
    const auto value = values.find(name);
    XGEN_CHECK(value != values.end(), "no value \"", name, "\" came");
    const torch::Tensor flat =
        value->second.detach().to(torch::kCPU, torch::kFloat32).contiguous().view(-1);
    const std::span<const float> numbers(flat.data_ptr<float>(),
                                         static_cast<std::size_t>(flat.numel()));
    if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); })) {
      throw UserError(::xgen::str("value \"", name,
                                  "\" is not finite on calibration data: it cannot be quantized"));
    }
    observer.observe(numbers);
  }
}

std::map<std::string, ActivationRange> RangeCollector::ranges(const QuantizeConfig& config) const {
  std::map<std::string, ActivationRange> ranges;
  for (const auto& [name, observer] : observers_) {
    XGEN_CHECK(observer.count() > 0, "nothing was observed of \"", name, "\"");
    ranges[name] = observer.range(config);
  }
  return ranges;
}

std::map<std::string, ActivationRange> collect_ranges(const ValuesOf& values_of,
                                                      const std::function<torch::Tensor()>& next,
                                                      const std::vector<std::string>& values,
                                                      const QuantizeConfig& config) {
  const torch::NoGradGuard no_grad;
  RangeCollector collector(values);
  std::int64_t left = config.calibration_samples;
  while (left > 0) {
    torch::Tensor batch = next();
    if (!batch.defined()) break;
    if (batch.size(0) > left) batch = batch.narrow(0, 0, left);
    left -= batch.size(0);
    collector.observe(values_of(batch, values));
  }
  return collector.ranges(config);
}

}  // namespace xgen::quantize
