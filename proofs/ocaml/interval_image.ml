(* How section 4.14 writes an interval image: bounds over a ball are rounded up to 64 bits, and intervals become a domain.  As with all
   that is proposed, the checker confirms that nothing is left out. *)

let bits = 64

(* 2^64 times the root of v 4^f, v no multiple of 4: 2^f times that of v, rounded up to a multiple of 2^-h so that it has 64 bits *)
let root_above scaled =
  let square = Z.shift_right scaled (2 * bits) in
  if Z.sign square = 0 then Z.zero
  else
    let fours = Z.trailing_zeros square / 2 in
    let square = Z.shift_right square (2 * fours) in
    let more = max 0 (bits - Z.numbits square / 2) in
    let root = Z.succ (Z.sqrt (Z.pred (Z.shift_left square (2 * more)))) in
    Z.shift_left root (bits + fours - more)

(* a box, all of the space, the orthant, or a polytope with a side for every bound *)
let domain_of intervals : Checker.domain =
  let value = Option.map (fun (numerator, denominator) -> Q.make numerator denominator) in
  let lows = List.map (fun (low, _) -> value low) intervals and highs = List.map (fun (_, high) -> value high) intervals in
  let is_there = Option.is_some and is_zero = Option.fold ~none:false ~some:(Q.equal Q.zero) in
  let box bounds =
    let bounds = List.map Option.get bounds in
    let common = List.fold_left (fun d (q : Q.t) -> Z.lcm d q.den) Z.one bounds in
    { Checker.denominator = common; numerators = List.map (fun (q : Q.t) -> Z.mul q.num (Z.divexact common q.den)) bounds } in
  if List.for_all is_there lows && List.for_all is_there highs then Box (box lows, box highs)
  else if List.exists is_there highs || (List.exists is_there lows && not (List.for_all is_zero lows)) then
    let dimension = List.length intervals in
    let side j sign = function
      | None -> []
      | Some (q : Q.t) ->
          let signed value = if sign > 0 then value else Z.neg value in
          [ (signed (Z.neg q.num), List.init dimension (fun k -> if k = j then signed q.den else Z.zero)) ] in
    Polytope (List.concat (List.mapi (fun j (low, high) -> side j (-1) low @ side j 1 high) (List.combine lows highs)))
  else if List.exists is_there lows then Orthant
  else AllSpace
