import {
	addMonths,
	differenceInCalendarDays,
	eachDayOfInterval,
	format,
	formatDistance,
	intervalToDuration,
	isWithinInterval,
	parse,
	parseISO,
	startOfISOWeek,
} from "date-fns";
import { de } from "date-fns/locale";

const at = (text: string) => parseISO(`${text}T12:00:00Z`);

export default {
	fetch: () =>
		Response.json([
			format(at("2026-02-03"), "yyyy-MM-dd EEEE do MMM"),
			format(at("2026-02-03"), "PPPP", { locale: de }),
			addMonths(at("2026-01-31"), 1),
			differenceInCalendarDays(at("2026-03-01"), at("2026-02-01")),
			eachDayOfInterval({ start: at("2026-01-30"), end: at("2026-02-02") }).length,
			formatDistance(at("2026-01-01"), at("2026-04-01"), { addSuffix: true, locale: de }),
			intervalToDuration({ start: at("2025-01-01"), end: at("2026-03-05") }),
			isWithinInterval(at("2026-01-02"), { start: at("2026-01-01"), end: at("2026-01-03") }),
			parse("03.02.2026 14:30", "dd.MM.yyyy HH:mm", at("2026-01-01")).getUTCMonth(),
			startOfISOWeek(at("2026-02-05")).getUTCDate(),
		]),
};
