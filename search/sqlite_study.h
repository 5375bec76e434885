#pragma once

#include <filesystem>
#include <memory>

#include "search/study.h"

namespace xgen::search {

/// A study in one SQLite file (with its log beside it), for workers on one machine.
///
/// A worker that finds the file locked waits for up to a minute. @throws UserError which names the
/// file: locked for longer, no space, damaged, not a study, of another version.
class SqliteStudy : public StudyStore {
 public:
  /// Makes the study, or opens one with the same settings. @throws UserError for other settings,
  /// naming what differs.
  static std::unique_ptr<SqliteStudy> create(const std::filesystem::path& file,
                                             const StudySettings& settings);
  /// @throws UserError where there is none.
  static std::unique_ptr<SqliteStudy> open(const std::filesystem::path& file);
  ~SqliteStudy() override;

  StudySettings settings() const override;
  std::vector<StudyTrial> trials() const override;
  bool add(std::int64_t number, const Point& point, const std::string& worker) override;
  std::optional<StudyTrial> take_over(const std::string& worker, double silent_seconds) override;
  bool heartbeat(std::int64_t number, const std::string& worker) override;
  bool finish(std::int64_t number, const std::string& worker,
              const Objectives& objectives) override;
  bool fail(std::int64_t number, const std::string& worker, const std::string& reason) override;
  std::optional<double> measurement(const std::string& key) const override;
  void record_measurement(const std::string& key, double value) override;

 private:
  class Database;
  explicit SqliteStudy(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace xgen::search
