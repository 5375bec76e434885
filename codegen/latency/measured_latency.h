#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/latency_model.h"
#include "core/target.h"

namespace xgen {

/// Times generated kernels of single layers on this machine.
///
/// A time that decides something is an input of the run: it is stored durably in a file before it
/// is used, read back on resume, and can be given (DESIGN law 4). Lookups never measure.
class MeasuredLatency final : public LatencyModel {
 public:
  using Query = std::pair<LayerShape, LayerVariant>;

  /// @param store  JSON file; read when it exists. @throws UserError for a file of another target
  /// or format.
  MeasuredLatency(Target target, std::filesystem::path store);
  /// Takes over measurements that somebody gives. @throws UserError as above.
  void give(const std::filesystem::path& file);

  /// Measures what is not known yet, interleaved, each until its spread is small; then stores all.
  /// @param progress  called with (done, all) between models. @throws UserError where kernels of
  /// the
  ///                  target do not run here.
  void measure(const std::vector<Query>& queries,
               const std::function<void(std::size_t, std::size_t)>& progress = {});

  /// A time of something else that decides, such as a whole network's, by a name of its own.
  std::optional<double> recall(const std::string& name) const;
  /// Stores such times, in microseconds, durably.
  void remember(const std::map<std::string, double>& microseconds);

  bool knows(const LayerShape& shape, const LayerVariant& variant) const;
  /// @throws InternalError for a latency that was never measured.
  double latency_us(const LayerShape& shape, const LayerVariant& variant) const override;
  std::string source() const override;

 private:
  void load(const std::filesystem::path& file);
  void save() const;

  Target target_;
  std::filesystem::path store_;
  std::map<std::string, double> microseconds_;
  std::string kernels_, compiler_;
};

}  // namespace xgen
