/* LANES values of a channel, which is the k-th of the four in these lanes. */
static inline void unpack_lanes(const xgen_pack* c, char* to, const char* from, int k, vi flip) {
  const vi q = vi_xor(vi_byte(vi_load(from), k), flip);
  if (c->quantize)
    vf_store(to, vf_mul(vi_to_f(vi_sub(q, vi_set1(c->zero))), vf_set1(c->scale)));
  else
    vi_narrow_u8(to, q);
}

/* To row-major fp32 (dequantizing) or u8, in whole vectors as far as the tensor reaches: the next
 * row overwrites their ends. */
static void unpack_i8(const xgen_pack* c, const xgen_context* ctx, void* external) {
  char* to = (char*)(c->flat == XGEN_NONE ? external : ctx->arena + c->flat);
  const ptrdiff_t size = c->quantize ? 4 : 1;
  const char* end = to + size * c->channels * c->planes.height * c->planes.width;
  const vi flip = vi_set1(c->quantize || c->flat == XGEN_NONE ? (int32_t)(XGEN_FLIP & 255U) : 0);
  const int flat = c->planes.pitch == c->planes.width, rows = flat ? 1 : c->planes.height,
            width = flat ? c->planes.height * c->planes.width : c->planes.width;
  for (int channel = 0; channel < c->channels; ++channel) {
    const int32_t at = ctx->tables[c->channel + channel];
    const char* from = ctx->arena + c->planes.data + (at & ~3);
    for (int y = 0; y < rows; ++y, from += 4 * (ptrdiff_t)c->planes.pitch, to += size * width) {
      for (int x = 0; x < width; x += LANES) {
        char* lanes = to + size * x;
        char last[4 * LANES];
        const int whole = end - lanes >= size * LANES;
        unpack_lanes(c, whole ? lanes : last, from + 4 * (ptrdiff_t)x, at & 3, flip);
        if (!whole) memcpy(lanes, last, (size_t)(end - lanes));
      }
    }
  }
}
