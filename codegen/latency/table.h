#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/latency/work.h"

namespace xgen::latency {

/// A measured kernel call.
struct Sample {
  Work work;
  double us = 0;
};

/// What a table speaks of: times on another CPU, by another compiler or with another instruction
/// set are other times.
struct Platform {
  std::string target;    ///< "x86_64"
  std::string kernels;   ///< instruction set, "x86-avx512-vnni"
  std::string cpu;       ///< model name, as the CPU calls itself
  std::string compiler;  ///< first line of `cc --version`
  friend bool operator==(const Platform&, const Platform&) = default;
};
/// That of this machine with the best instruction set that it runs. @throws UserError without a C
/// compiler.
Platform host_platform(const Target& target);

/// The caches of this machine; where the system does not say, those of the target.
Caches host_caches(const Target& target);

/// How the samples of a table were measured.
struct Measurement {
  std::int64_t batches = 0;      ///< that were drawn.
  double reference_us = 0;       ///< of the work that tells how fast the machine is; 0: unknown.
  std::optional<Caches> caches;  ///< where not those of the target.
  friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// The linear model of one kernel.
struct KernelFit {
  std::vector<double> factors;             ///< us per count, >= 0.
  std::vector<double> highest;             ///< the highest of each count that was measured.
  std::size_t samples = 0;                 ///< how many it was fitted to.
  double median_error = 0, p95_error = 0;  ///< relative, on samples left out of the fit.
  double hit_rate = 0;                     ///< the share of them that is predicted within 10 %.
  friend bool operator==(const KernelFit&, const KernelFit&) = default;
};

struct Prediction {
  double us = 0, low_us = 0, high_us = 0;  ///< the interval holds 95 % of kernels like these.
  bool extrapolated = false;               ///< beyond what was measured, or by the static estimate.
};

/// @throws UserError for a name that no instruction set has; `where` says where it stands.
void check_isa(const std::string& name, const std::string& where);

/// The work of a kernel as files hold it, checked. @throws UserError; `where` says where it stands.
Work read_work(const std::string& kernel, const nlohmann::json& counts, const std::string& where);

/// Times of kernels, fitted to measurements: factors that explain the calls of a kernel, and those
/// of the static estimate, times one factor, as far as the calls do not tell.
class LatencyTable {
 public:
  /// Fits a table to samples, rounded as files hold them: a table that is read and fitted again is
  /// the same.
  LatencyTable(Platform platform, std::vector<Sample> samples, Measurement measurement = {});

  const Platform& platform() const { return platform_; }
  const std::vector<Sample>& samples() const { return samples_; }
  const std::map<std::string, KernelFit>& fits() const { return fits_; }
  const Measurement& measurement() const { return measurement_; }
  /// The share of all samples that a fit without them predicts within 10 %.
  double hit_rate() const;
  /// What it speaks of, as work is counted for it. @param target  that of its platform.
  Machine machine(const Target& target) const;

  /// Microseconds of a kernel that was measured.
  double predict(const Work& work) const;
  /// Of a kernel that was never measured: the static estimate for `machine`.
  Prediction predict(const Work& work, const Machine& machine) const;
  /// The work of a program's steps, as far from each other in time as they are predicted to be.
  std::vector<Work> works(const Program& program, const Machine& machine) const;
  /// Of a whole program, one image: the sum; errors of kernels are taken as independent.
  Prediction predict(const Program& program, const Machine& machine) const;

  /// JSON: the fits, then the samples that they were made from.
  void save(const std::filesystem::path& file) const;
  /// Without the samples: what predictions need.
  void save_fits(const std::filesystem::path& file) const;
  /// Takes the fits as they are stored, and the samples where there are any.
  /// @throws UserError for a file of another form.
  static LatencyTable load(const std::filesystem::path& file);
  /// The same from the text of a file. @param name  for messages.
  static LatencyTable parse(std::string_view text, const std::string& name);

 private:
  LatencyTable() = default;
  nlohmann::json fits_json() const;
  static LatencyTable read(const nlohmann::json& table, const std::string& file);

  Platform platform_;
  std::vector<Sample> samples_;
  Measurement measurement_;
  std::map<std::string, KernelFit> fits_;
};

}  // namespace xgen::latency
