#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "search/sampler.h"

namespace xgen::search {

/// What a study is, fixed when it begins.
struct StudySettings {
  std::string name;
  std::string space;                    ///< JSON text: what candidates are, to be compared.
  std::vector<std::string> objectives;  ///< all minimised: "error", "latency_us".
  std::string sampler;                  ///< of samplers.inc.
  std::uint64_t seed = 1;
  /// Trials that may be under way at once: trial n is proposed from what trials up to n - in_flight
  /// found, however many workers there are, so their number changes nothing but the time.
  int in_flight = 1;
  /// How a candidate is evaluated, the cheapest first: the share 1 / reduction of the candidates
  /// which a step rates best goes on to the next one. The last one counts.
  std::vector<std::string> steps = {"run"};
  int reduction = 3;
  int bootstrap = 0;  ///< candidates that begin the first step before any goes on.
  friend bool operator==(const StudySettings&, const StudySettings&) = default;
};

enum class TrialState { running, finished, failed };
const char* name_of(TrialState state);

struct StudyTrial {
  std::int64_t number = 0;  ///< from 0 on, without gaps.
  Point point;
  TrialState state = TrialState::running;
  Objectives objectives;  ///< where finished.
  std::string reason;     ///< where failed.
  std::string worker;     ///< that has it, or had it last.
  int attempts = 1;       ///< workers that began it.
  int step = 0;           ///< of the study's steps.
};

/// What proposals follow from besides trials and settings, such as a measurement: JSON text by
/// name.
using StudyInputs = std::map<std::string, std::string>;

/// What a study holds, to be moved to another store.
struct StudyContents {
  std::vector<StudyTrial> trials;  ///< from number 0 on, without gaps.
  StudyInputs inputs;
};

/// Where a study is kept. Every function is one transaction: several workers, each with a store of
/// its own, may call them at any time and be killed at any time.
class StudyStore {
 public:
  virtual ~StudyStore() = default;

  virtual StudySettings settings() const = 0;
  virtual std::vector<StudyTrial> trials() const = 0;  ///< by number.
  /// Adds the trial of the next number; false where another worker was first.
  virtual bool add(std::int64_t number, const Point& point, int step,
                   const std::string& worker) = 0;
  /// The first running trial whose worker has not been heard of for so long, which is this worker's
  /// from now on.
  virtual std::optional<StudyTrial> take_over(const std::string& worker, double silent_seconds) = 0;
  /// Says that the worker is at it; false where the trial is not its own any more.
  virtual bool heartbeat(std::int64_t number, const std::string& worker) = 0;
  /// Gives a trial back: the next worker takes it over at once. Nothing where it is not the
  /// worker's own any more.
  virtual void release(std::int64_t number, const std::string& worker) = 0;
  /// Ends a trial; false, and nothing happens, where it is not the worker's own any more.
  virtual bool finish(std::int64_t number, const std::string& worker,
                      const Objectives& objectives) = 0;
  virtual bool fail(std::int64_t number, const std::string& worker, const std::string& reason) = 0;
  /// Keeps texts of a trial by name, each in the place of an earlier one; false, and nothing
  /// happens, where it is not the worker's own any more.
  virtual bool keep(std::int64_t number, const std::string& worker,
                    const std::map<std::string, std::string>& texts) = 0;
  /// The texts that were kept of a trial; what was no UTF-8 in them is replaced.
  virtual std::map<std::string, std::string> kept(std::int64_t number) const = 0;
  virtual StudyInputs inputs() const = 0;
  /// Holds it from now on, unless another worker was first. @return the text that the study holds.
  virtual std::string keep_input(const std::string& name, const std::string& text) = 0;
  /// Adds trials that have ended and what they followed from, all of it or nothing.
  /// @throws UserError where the study has trials or inputs already.
  virtual void import_contents(const StudyContents& contents) = 0;
};

/// A trial for the worker: one whose worker died, else the next one: a candidate that goes on to
/// its next step, or while fewer than `count` have begun a new one. Nothing where the study is
/// complete, or the next trial waits for trials under way.
std::optional<StudyTrial> claim(StudyStore& store, const Problem& problem,
                                const std::string& worker, std::int64_t count,
                                double silent_seconds);

/// Whether `count` candidates were evaluated as far as each may go.
bool is_complete(const StudyStore& store, const Problem& problem, std::int64_t count);

}  // namespace xgen::search
