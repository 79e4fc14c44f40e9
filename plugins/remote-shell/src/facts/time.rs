//! Date and time, from the seconds of the epoch and the offset of the host's time zone.

use exed_sdk::json;

use super::{Facts, Raw, set};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment as a calendar shows it.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 0 is the first of January.
    day_of_year: i64,
}

/// `date_time`, in the host's time zone but for what ends in `Z`.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let Some(line) = raw.section("date").first() else { return };
    let mut fields = line.split_whitespace();
    let Some(epoch) = fields.next().and_then(|text| text.parse::<i64>().ok()) else { return };
    let offset_text = fields.next().unwrap_or("+0000");
    let zone = fields.next().unwrap_or("UTC");
    // A `date` that knows no nanoseconds prints something else.
    let micros = fields.next().and_then(|text| text.parse::<u64>().ok()).map_or(0, |nanos| nanos / 1000);
    let local = civil(epoch.saturating_add(offset_seconds(offset_text)));
    let utc = civil(epoch);
    let date = |at: &Civil| format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
    let time = |at: &Civil| format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    let basic = format!("{}T{}", date(&local), time(&local)).replace(['-', ':'], "");
    let weekday = usize::try_from(local.weekday).ok().and_then(|day| WEEKDAYS.get(day)).copied();
    set(
        facts,
        "date_time",
        json!({
            "date": date(&local),
            "time": time(&local),
            "year": format!("{:04}", local.year),
            "month": format!("{:02}", local.month),
            "day": format!("{:02}", local.day),
            "hour": format!("{:02}", local.hour),
            "minute": format!("{:02}", local.minute),
            "second": format!("{:02}", local.second),
            "weekday": weekday.unwrap_or_default(),
            "weekday_number": local.weekday.to_string(),
            // Weeks begin on Monday; days before the first Monday are in week 0.
            "weeknumber": format!("{:02}", (local.day_of_year + 7 - (local.weekday + 6) % 7) / 7),
            "epoch": epoch.to_string(),
            "epoch_int": epoch.to_string(),
            "iso8601": format!("{}T{}Z", date(&utc), time(&utc)),
            "iso8601_micro": format!("{}T{}.{micros:06}Z", date(&utc), time(&utc)),
            "iso8601_basic": format!("{basic}{micros:06}"),
            "iso8601_basic_short": basic,
            "tz": zone,
            "tz_dst": zone,
            "tz_offset": offset_text,
        }),
    );
}

/// `+0130` in seconds.
fn offset_seconds(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.trim_start_matches('+')),
    };
    let number: i64 = digits.parse().unwrap_or(0);
    sign * (number / 100 * 3600 + number % 100 * 60)
}

/// The Gregorian calendar, by counting from the first of March of the year 0, so that a leap day is the
/// last of its year.
fn civil(epoch: i64) -> Civil {
    let (days, seconds) = (epoch.div_euclid(86_400), epoch.rem_euclid(86_400));
    let since_march = days.saturating_add(719_468);
    let era = since_march.div_euclid(146_097);
    let day_of_era = since_march.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_from_march + 2) / 153;
    let day = day_from_march - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day_of_year = if month > 2 { day_from_march + 59 + i64::from(leap) } else { day_from_march - 306 };
    Civil {
        year,
        month,
        day,
        hour: seconds / 3600,
        minute: seconds % 3600 / 60,
        second: seconds % 60,
        weekday: (days + 4).rem_euclid(7),
        day_of_year,
    }
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn knows_the_calendar() {
        for (epoch, expected) in [
            (0, (1970, 1, 1, 4, 0)),
            (951_782_400, (2000, 2, 29, 2, 59)),
            (951_868_800, (2000, 3, 1, 3, 60)),
            (1_735_603_200, (2024, 12, 31, 2, 365)),
            (1_795_190_369, (2026, 11, 20, 5, 323)),
            (-86_400, (1969, 12, 31, 3, 364)),
        ] {
            let at = civil(epoch);
            assert_eq!((at.year, at.month, at.day, at.weekday, at.day_of_year), expected, "{epoch}");
        }
    }
}
