#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/speed_reference.h"
#include "codegen/program.h"
#include "core/latency_model.h"
#include "core/target.h"

namespace xgen {

/// The times that decide in a run: of generated kernels, measured on this machine, or predicted for
/// a device that is not at hand.
///
/// A time that decides something is an input of the run: it is stored durably in a file before it
/// is used, read back on resume, and can be given (DESIGN law 4). Lookups never measure.
class LatencyStore final : public LatencyModel {
 public:
  using Query = std::pair<LayerShape, LayerVariant>;

  /// @param store  JSON file; read when it exists. @throws UserError for a file of another target
  /// or format.
  LatencyStore(Target target, std::filesystem::path store);
  /// Takes over times that somebody gives. @throws UserError as above.
  void give(const std::filesystem::path& file);
  /// What predicts where the target's kernels do not run here; the static estimate when it is not
  /// called. @throws UserError for a table of another target.
  void predict_by(latency::LatencyTable table);

  /// Whether times come from this machine's clock; else from model().
  bool measures() const;
  const latency::FittedLatency& model();

  /// Finds what is not known yet, then stores all. Measured kernels take turns, each until its
  /// spread is small.
  /// @param progress  called with (done, all) between models.
  /// @return how many were not known.
  std::size_t find(const std::vector<Query>& queries,
                   const std::function<void(std::size_t, std::size_t)>& progress = {});
  /// The time of a whole network, at the speed of find()'s, by a name of its own.
  double network_us(const std::string& name, const Program& program);

  /// A time of something else that decides, by a name of its own.
  std::optional<double> recall(const std::string& name) const;
  /// Stores such times, in microseconds, as they are, durably.
  void remember(const std::map<std::string, double>& microseconds);

  /// Whether a name in the file is that of a kernel, which any run may time; others speak of the
  /// run's own networks.
  static bool names_a_kernel(const std::string& name);

  bool knows(const LayerShape& shape, const LayerVariant& variant) const;
  /// @throws InternalError for a latency that was never found.
  double latency_us(const LayerShape& shape, const LayerVariant& variant) const override;
  std::string source() const override;

 private:
  void load(const std::filesystem::path& file);
  void save() const;
  void measure(const std::map<std::string, Query>& missing,
               const std::function<void(std::size_t, std::size_t)>& progress);
  std::vector<double> timed_us(std::vector<std::function<void()>> functions);

  Target target_;
  std::filesystem::path store_;
  std::optional<latency::FittedLatency> model_;
  std::map<std::string, double> microseconds_;
  std::string source_, kernels_, compiler_;
  double reference_us_ = 0;  // of the reference at the speed of what is stored; 0: unknown
  std::unique_ptr<latency::SpeedReference> reference_;
};

}  // namespace xgen
