// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program with a global function that takes the frame, as the filter has. It shows whether
 * this kernel can chain such programs.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__attribute__((noinline)) int length(struct xdp_md *ctx)
{
	return ctx ? ctx->data_end - ctx->data : 0;
}

SEC("xdp")
int caller(struct xdp_md *ctx)
{
	return length(ctx) ? XDP_PASS : XDP_DROP;
}
