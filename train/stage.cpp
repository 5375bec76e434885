#include "train/stage.h"

#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>

#include "core/interrupt.h"
#include "core/log.h"
#include "train/autocast.h"
#include "train/checkpoint.h"
#include "train/cpu.h"
#include "train/data/loader.h"
#include "train/determinism.h"
#include "train/ema.h"
#include "train/event_writer.h"
#include "train/identity.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace xgen::train {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

nlohmann::json to_json(const EpochRecord& r) {
  nlohmann::json json = {{"epoch", r.epoch},
                         {"step", r.step},
                         {"train_loss", r.train_loss},
                         {"learning_rate", r.learning_rate}};
  if (r.validation.samples > 0) {
    json["validation"] = {{"top1", r.validation.top1},
                          {"top5", r.validation.top5},
                          {"loss", r.validation.loss},
                          {"samples", r.validation.samples}};
  }
  return json;
}

EpochRecord record_from(const nlohmann::json& json) {
  EpochRecord r;
  r.epoch = json.at("epoch");
  r.step = json.at("step");
  r.train_loss = json.at("train_loss");
  r.learning_rate = json.at("learning_rate");
  if (const auto v = json.find("validation"); v != json.end()) {
    r.validation = {v->at("top1"), v->at("top5"), v->at("loss"), v->at("samples")};
  }
  return r;
}

/// All that may change the weights: the given config without what only says when to save.
nlohmann::json config_of(const TrainingConfig& config, const TrainContext& context) {
  nlohmann::json json = write_config(config);
  json.erase("checkpoint_every_steps");
  json.erase("checkpoint_every_seconds");
  json["epochs"] = context.epochs;
  json["seed"] = context.seed;
  json["normalize"] = write_config(context.normalize);
  json["augment"] = write_config(context.augment);
  return json;
}

/// One run of a stage: the loop and the state that it carries from step to step.
class Stage {
 public:
  Stage(GraphModule& module, const Dataset& train, const Dataset& validation,
        const TrainingConfig& config, const TrainContext& context)
      : module_(module),
        validation_(validation),
        config_(config),
        context_(context),
        maker_(train, context.normalize, context.augment),
        random_(context.seed),
        optimizer_(module, config) {
    if (config.ema_decay > 0) ema_ = std::make_unique<MovingAverage>(module, config.ema_decay);
    loader_options_.batch_size = config.batch_size;
    batches_ = Loader::batch_count(train.size(), loader_options_);
    identity_ = {structure_hash(module.graph()), train.hash(), config_of(config, context),
                 training_environment(module, context.threads)};
  }

  TrainResult run() {
    const std::filesystem::path path = checkpoint_path(context_);
    if (context_.resume && std::filesystem::exists(path)) {
      restore(path);
    } else {
      for (TrainingHook* hook : context_.hooks) hook->begin(module_);
    }
    if (!finished_) {
      EventWriter events(context_.run_folder);
      while (epoch_ < context_.epochs) run_epoch(events);
      if (ema_ != nullptr) module_.load_state(ema_->state());
      finished_ = true;
      save();
    }
    module_.train(false);
    result_.steps = step_;
    result_.weights_hash = module_.weights_hash();
    result_.images_per_second =
        train_seconds_ > 0 ? static_cast<double>(images_) / train_seconds_ : 0;
    return std::move(result_);
  }

 private:
  std::int64_t total_steps() const { return batches_ * context_.epochs; }

  void run_epoch(EventWriter& events) {
    if (batch_ == 0) {
      for (TrainingHook* hook : context_.hooks) hook->before_epoch(module_, epoch_);
    }
    log::Progress progress(str(context_.stage, " ", epoch_ + 1, "/", context_.epochs),
                           batches_ * config_.batch_size, "images", batch_ * config_.batch_size);
    loader_options_.epoch = epoch_;
    loader_options_.first_batch = batch_;
    Loader loader(maker_, random_, loader_options_);
    module_.train(true);
    while (std::optional<Batch> batch = loader.next()) {
      const auto began = Clock::now();
      const double loss = run_step(*batch);
      train_seconds_ += seconds_since(began);
      images_ += batch->size();
      progress.update(batch_ * config_.batch_size, str("loss ", loss));
      after_step();
    }
    for (TrainingHook* hook : context_.hooks) hook->after_epoch(module_, epoch_);
    finish_epoch(events);
  }

  double run_step(Batch& batch) {
    module_.set_random(random_, step_);
    const Tensor images = images_of(batch);
    const Targets targets = targets_of(batch, module_.device());
    const Tensor logits = forward(module_, images);
    Tensor loss = classification_loss(logits, targets, config_.label_smoothing);
    if (context_.teacher != nullptr) {
      loss = (1 - config_.distill_weight) * loss +
             config_.distill_weight *
                 distillation_loss(logits, teach(images), config_.distill_temperature);
    }
    for (TrainingHook* hook : context_.hooks) {
      const Tensor extra = hook->extra_loss(module_);
      if (extra.defined()) loss = loss + extra;
    }
    const auto value = loss.item<double>();
    if (!std::isfinite(value)) stop_for_nan(value, images);

    optimizer_.zero_gradients();
    loss.backward();
    for (TrainingHook* hook : context_.hooks)
      hook->after_backward(module_, {step_, images, targets, logits.detach()});
    if (config_.clip_norm > 0) optimizer_.clip_gradients(config_.clip_norm);
    learning_rate_ = learning_rate(config_, step_, total_steps());
    optimizer_.step(learning_rate_);
    for (TrainingHook* hook : context_.hooks) hook->after_step(module_, step_);
    if (ema_ != nullptr) ema_->update(module_);
    loss_sum_ += value;
    ++step_;
    ++batch_;
    return value;
  }

  Tensor forward(GraphModule& module, const Tensor& images) const {
    const Autocast autocast(module.device(), config_.in_bf16());
    return module.forward(images);
  }

  Tensor teach(const Tensor& images) const {
    const torch::NoGradGuard no_grad;
    context_.teacher->train(false);
    return forward(*context_.teacher, images);
  }

  /// Between two steps: saves when it is time, and stops when asked to.
  void after_step() {
    if (context_.stop_requested && context_.stop_requested()) {
      save();
      throw Interrupted(str("stage \"", context_.stage, "\" was interrupted after step ", step_,
                            " of ", total_steps(), "; its state is in ",
                            checkpoint_path(context_).string()));
    }
    const bool by_steps =
        config_.checkpoint_every_steps > 0 && step_ % config_.checkpoint_every_steps == 0;
    const bool by_time = config_.checkpoint_every_seconds > 0 &&
                         seconds_since(saved_at_) >= config_.checkpoint_every_seconds;
    if (batch_ < batches_ && (by_steps || by_time)) save();
  }

  void finish_epoch(EventWriter& events) {
    EpochRecord record;
    record.epoch = epoch_ + 1;
    record.step = step_;
    record.train_loss = loss_sum_ / static_cast<double>(batches_);
    record.learning_rate = learning_rate_;
    if (!validation_.empty()) record.validation = evaluate_average();
    result_.history.push_back(record);
    ++epoch_;
    batch_ = 0;
    loss_sum_ = 0;
    // The log comes first: a line too many after a kill can be told by its epoch, one too few
    // cannot.
    write_log(record, events);
    save();
  }

  /// Evaluates the moving average where there is one; the weights stay as they are.
  Metrics evaluate_average() {
    if (ema_ == nullptr) return evaluate(module_, validation_, context_.normalize);
    const NamedTensors own = copy_of(module_.state());
    module_.load_state(ema_->state());
    const Metrics metrics = evaluate(module_, validation_, context_.normalize);
    module_.load_state(own);
    return metrics;
  }

  void write_log(const EpochRecord& record, EventWriter& events) {
    nlohmann::json line = to_json(record);
    line["stage"] = context_.stage;
    const std::filesystem::path path = context_.run_folder / "log.jsonl";
    std::ofstream out(path, std::ios::app);
    out << line.dump() << "\n" << std::flush;
    if (!out) throw UserError(str(path.string(), ": cannot be written; is the disk full?"));
    const auto put = [&](const char* tag, double value) {
      events.scalar(context_.stage + "/" + tag, value, record.step);
    };
    put("train_loss", record.train_loss);
    put("learning_rate", record.learning_rate);
    std::string text = str("loss ", record.train_loss);
    if (record.validation.samples > 0) {
      put("validation_loss", record.validation.loss);
      put("validation_top1", record.validation.top1);
      put("validation_top5", record.validation.top5);
      text += str("  validation ", std::round(record.validation.top1 * 1e4) / 100, " %");
    }
    log::info(str(context_.stage, " ", record.epoch, "/", context_.epochs, "  ", text));
  }

  void save() {
    for (const auto& [name, tensor] : module_.state()) {
      if (!at::isfinite(tensor).all().item<bool>()) {
        refuse_nan(str("the weights \"", name, "\" became infinite or not a number"));
      }
    }
    Checkpoint checkpoint;
    checkpoint.meta = {{"stage", context_.stage}, {"epoch", epoch_},
                       {"batch", batch_},         {"step", step_},
                       {"loss_sum", loss_sum_},   {"learning_rate", learning_rate_},
                       {"finished", finished_},   {"identity", identity_.to_json()},
                       {"notes", result_.notes},  {"history", nlohmann::json::array()}};
    for (const EpochRecord& r : result_.history) checkpoint.meta["history"].push_back(to_json(r));
    checkpoint.weights = module_.state();
    if (!finished_) {
      checkpoint.optimizer = optimizer_.state();
      if (ema_ != nullptr) checkpoint.ema = ema_->state();
    }
    for (TrainingHook* hook : context_.hooks) {
      for (const auto& [name, tensor] : hook->state()) {
        checkpoint.hooks.emplace_back(hook->name() + "/" + name, tensor);
      }
    }
    save_checkpoint(checkpoint_path(context_), checkpoint);
    saved_at_ = Clock::now();
    saved_step_ = step_;
  }

  void restore(const std::filesystem::path& path) {
    const Checkpoint checkpoint = load_checkpoint(path);
    check_same_model(path, checkpoint.weights, module_.state());
    const nlohmann::json& meta = checkpoint.meta;
    result_.notes = meta.at("notes").get<std::vector<std::string>>();
    for (const std::string& note : check_identity(path, meta.at("identity"), identity_)) {
      log::warning(str(context_.stage, ": ", note));
      result_.notes.push_back(note);
    }
    module_.load_state(checkpoint.weights);
    optimizer_.load_state(checkpoint.optimizer);
    epoch_ = meta.at("epoch");
    batch_ = meta.at("batch");
    step_ = meta.at("step");
    loss_sum_ = meta.at("loss_sum");
    learning_rate_ = meta.at("learning_rate");
    finished_ = meta.at("finished");
    if (ema_ != nullptr && !finished_) ema_->load_state(checkpoint.ema);
    for (const auto& record : meta.at("history")) result_.history.push_back(record_from(record));
    for (TrainingHook* hook : context_.hooks) {
      const std::string prefix = hook->name() + "/";
      NamedTensors own;
      for (const auto& [name, tensor] : checkpoint.hooks) {
        if (name.starts_with(prefix)) own.emplace_back(name.substr(prefix.size()), tensor);
      }
      hook->load_state(own);
    }
    saved_step_ = step_;
    log::info(str(context_.stage, ": resumed at step ", step_, " of ", total_steps()));
  }

  [[noreturn]] void stop_for_nan(double value, const Tensor& images) {
    std::string where = "the loss itself";
    if (const ir::Node* node = module_.first_non_finite({images})) {
      where = str("node \"", node->name, "\" (", ir::op_name(node->op), ')');
    }
    refuse_nan(str("the loss became ", value, ", first in ", where));
  }

  [[noreturn]] void refuse_nan(const std::string& what) const {
    const std::filesystem::path path = checkpoint_path(context_);
    throw UserError(str("stage \"", context_.stage, "\": ", what, ", at step ", step_ + 1,
                        " (epoch ", epoch_ + 1, "); ",
                        saved_step_ < 0 ? "no state was saved before"
                                        : str("the last good state, after step ", saved_step_,
                                              ", is in ", path.string()),
                        "; a smaller \"lr\" or a \"clip_norm\" may help"));
  }

  GraphModule& module_;
  const Dataset& validation_;
  const TrainingConfig& config_;
  const TrainContext& context_;
  BatchMaker maker_;
  Random random_;
  Optimizer optimizer_;
  std::unique_ptr<MovingAverage> ema_;
  LoaderOptions loader_options_;
  TrainingIdentity identity_;
  std::int64_t batches_ = 0;  ///< of an epoch.

  // The state between two steps.
  std::int64_t epoch_ = 0;
  std::int64_t batch_ = 0;
  std::int64_t step_ = 0;
  double loss_sum_ = 0;
  double learning_rate_ = 0;
  bool finished_ = false;
  TrainResult result_;

  Clock::time_point saved_at_ = Clock::now();
  std::int64_t saved_step_ = -1;
  double train_seconds_ = 0;
  std::int64_t images_ = 0;
};

}  // namespace

std::filesystem::path checkpoint_path(const TrainContext& context) {
  return context.run_folder / "checkpoints" / (context.stage + ".safetensors");
}

TrainResult train(GraphModule& module, const Dataset& train, const Dataset& validation,
                  const TrainingConfig& config, const TrainContext& context) {
  if (train.empty()) throw UserError(str("stage \"", context.stage, "\": no training data"));
  set_up_cpu(context.threads);
  make_deterministic(module.device());
  return Stage(module, train, validation, config, context).run();
}

}  // namespace xgen::train
