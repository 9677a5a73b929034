/* Why the data rate is what it is. Numbers: al best SNR of the history, ah what is to spare after need and margin, b0 data
 * rate, b1 power, b2 NbTrans (the lower four bits before, the upper after), b3 samples, c0 loss, c1 the margin; of `fixed_not` c1 is the fixed data rate, of `steady` the loss that is expected,
 * and al what is lost by collision. */
#include "network-server/adr/adr.h"

#define RULE(name, level, sentence, next)                       \
	{                                                       \
		name, DECISION_AS_##level, sentence, next, NULL \
	}
#define SIGNAL                                                                                             \
	"the best SNR of {samples:b3:count frame} is {snr_db:al:db}, {spare_db:ah:db} more than the data " \
	"rate "                                                                                            \
	"and a margin of {margin_db:c1} dB need"
#define LOSS     "loss {loss_percent:c0:percent}"
#define CROWD    ", collisions at this data rate take {crowd_percent:al:percent} of transmissions"
#define AS_IT_IS "{dr:b0l:dr}, power {power:b1l}, NbTrans {nb_trans:b2l}"
#define AS_IT_IS_WANTED                                                                                     \
	"from {dr_before:b0l:dr}, power {power_before:b1l}, NbTrans {nb_trans_before:b2l} to {dr:b0h:dr}, " \
	"power {power:b1h}, NbTrans {nb_trans:b2h}"

const struct decision_rule ns_adr_rules[NS_ADR_REASON_COUNT] = {
	[NS_ADR_KEEP] = RULE("adr_keep", DEBUG, "ADR holds " AS_IT_IS ": " SIGNAL "; " LOSS ".", ""),
	[NS_ADR_TOO_FEW] = RULE(
		"adr_too_few", DEBUG,
		"ADR holds " AS_IT_IS ": {samples:b3:count frame} at this data rate, five are needed.", ""),
	[NS_ADR_NO_SNR] = RULE("adr_no_snr", DEBUG,
			       "ADR holds " AS_IT_IS
			       ": the modulation has no SNR to judge by ({samples:b3:count frame}).",
			       ""),
	[NS_ADR_OUTSIDE] = RULE("adr_outside", INFO_GOING,
				"ADR goes " AS_IT_IS_WANTED
				": what the device uses is outside what its profile, region and "
				"channels allow.",
				""),
	[NS_ADR_FASTER] = RULE("adr_faster", DEBUG, "ADR goes " AS_IT_IS_WANTED ": " SIGNAL "; " LOSS ".",
			       ""),
	[NS_ADR_QUIETER] = RULE("adr_quieter", DEBUG,
				"ADR lowers the power, " AS_IT_IS_WANTED ": " SIGNAL ".", ""),
	[NS_ADR_LOUDER] = RULE("adr_louder", DEBUG,
			       "ADR raises the power, " AS_IT_IS_WANTED ": " SIGNAL "; " LOSS ".", ""),
	[NS_ADR_REPEATS] = RULE(
		"adr_repeats", DEBUG,
		"ADR sets the repeats, " AS_IT_IS_WANTED ": " LOSS " over {samples:b3:count frame}.", ""),
	[NS_ADR_SLOWER] = RULE("adr_slower", INFO_GOING,
			       "ADR slows down as the last resort, " AS_IT_IS_WANTED ": " LOSS
			       " at full power; " SIGNAL ".",
			       "A weak place: another gateway near it, or a better antenna."),
	[NS_ADR_FIXED] = RULE("adr_fixed", DEBUG,
			      "ADR gives the data rate that the profile fixes, " AS_IT_IS_WANTED ".", ""),
	[NS_ADR_FIXED_HELD] = RULE("adr_fixed_held", DEBUG,
				   "ADR holds the data rate that the profile fixes, " AS_IT_IS ".", ""),
	[NS_ADR_FIXED_NOT] = RULE(
		"adr_fixed_not", INFO,
		"ADR cannot give the data rate that the profile fixes, {fixed:c1:dr}: the device refused it, "
		"or its region and channels have none such; it stays at {dr:b0l:dr}.",
		"Another adr_fixed_dr in the profile, or another algorithm."),
	[NS_ADR_STEADY_KEEP] = RULE("adr_steady_keep", DEBUG,
				    "ADR holds " AS_IT_IS ": of {samples:b3:count frame} " LOSS CROWD
				    ", {expected_percent:c1:percent} of readings are expected to be lost.",
				    ""),
	[NS_ADR_STEADY] = RULE(
		"adr_steady", DEBUG,
		"ADR goes " AS_IT_IS_WANTED ": of {samples:b3:count frame} " LOSS CROWD
		"; with this {expected_percent:c1:percent} of readings are expected to be lost.",
		""),
};

struct ns_numbers ns_adr_numbers(const struct ns_adr_input *input, const struct ns_adr_decision *decision)
{
	const struct ns_adr_settings *now = &input->now, *wanted = &decision->wanted;
	uint8_t margin = decision->reason == NS_ADR_FIXED_NOT ? input->limits.fixed_dr
							      : input->limits.margin_db;
	int16_t signal = decision->snr_max_cdb;
	if (decision->reason == NS_ADR_STEADY || decision->reason == NS_ADR_STEADY_KEEP) {
		margin = decision->expect_percent;
		signal = decision->crowd_percent;
	}
	return (struct ns_numbers){
		.a = decision_halves(signal, decision->spare_cdb),
		.b = decision_bytes((now->dr & 15) | wanted->dr << 4, (now->power & 15) | wanted->power << 4,
				    (now->nb_trans & 15) | wanted->nb_trans << 4, decision->samples),
		.c = (uint16_t)(decision->loss_percent | margin << 8),
	};
}
