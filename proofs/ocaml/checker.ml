
(** val implb : bool -> bool -> bool **)

let implb b1 b2 =
  if b1 then b2 else true

(** val negb : bool -> bool **)

let negb = function
| true -> false
| false -> true

(** val option_map : ('a1 -> 'a2) -> 'a1 option -> 'a2 option **)

let option_map f = function
| Some a -> Some (f a)
| None -> None

(** val fst : ('a1*'a2) -> 'a1 **)

let fst = function
| x,_ -> x

(** val snd : ('a1*'a2) -> 'a2 **)

let snd = function
| _,y -> y

(** val app : 'a1 list -> 'a1 list -> 'a1 list **)

let rec app l m =
  match l with
  | [] -> m
  | a :: l1 -> a :: (app l1 m)

type comparison =
| Eq
| Lt
| Gt

(** val add : int -> int -> int **)

let rec add = (+)

(** val mul : int -> int -> int **)

let rec mul = ( * )

(** val sub : int -> int -> int **)

let rec sub = fun n m -> Stdlib.max 0 (n-m)

(** val eqb : bool -> bool -> bool **)

let eqb b1 b2 =
  if b1 then b2 else if b2 then false else true

module Nat =
 struct
  (** val ltb : int -> int -> bool **)

  let ltb n m =
    (<=) (Stdlib.Int.succ n) m
 end

module Pos =
 struct
  (** val succ : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let rec succ = Big_int_Z.succ_big_int

  (** val add :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let rec add = Big_int_Z.add_big_int

  (** val add_carry :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  and add_carry x y =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q ->
        (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
        (add_carry p q))
        (fun q -> Big_int_Z.mult_int_big_int 2 (add_carry p q))
        (fun _ ->
        (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
        (succ p))
        y)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q -> Big_int_Z.mult_int_big_int 2 (add_carry p q))
        (fun q ->
        (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
        (add p q))
        (fun _ -> Big_int_Z.mult_int_big_int 2 (succ p))
        y)
      (fun _ ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q ->
        (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
        (succ q))
        (fun q -> Big_int_Z.mult_int_big_int 2 (succ q))
        (fun _ ->
        (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
        Big_int_Z.unit_big_int)
        y)
      x

  (** val pred_double : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let rec pred_double x =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p ->
      (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
      (Big_int_Z.mult_int_big_int 2 p))
      (fun p ->
      (fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
      (pred_double p))
      (fun _ -> Big_int_Z.unit_big_int)
      x

  (** val mul :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let rec mul = Big_int_Z.mult_big_int

  (** val iter : ('a1 -> 'a1) -> 'a1 -> Big_int_Z.big_int -> 'a1 **)

  let rec iter f x n =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun n' -> f (iter f (iter f x n') n'))
      (fun n' -> iter f (iter f x n') n')
      (fun _ -> f x)
      n

  (** val div2 : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let div2 p =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p0 -> p0)
      (fun p0 -> p0)
      (fun _ -> Big_int_Z.unit_big_int)
      p

  (** val div2_up : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let div2_up p =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p0 -> succ p0)
      (fun p0 -> p0)
      (fun _ -> Big_int_Z.unit_big_int)
      p

  (** val compare_cont :
      comparison -> Big_int_Z.big_int -> Big_int_Z.big_int -> comparison **)

  let rec compare_cont = (fun c x y -> let s = Big_int_Z.compare_big_int x y in
  if s = 0 then c else if s < 0 then Lt else Gt)

  (** val compare : Big_int_Z.big_int -> Big_int_Z.big_int -> comparison **)

  let compare = (fun x y -> let s = Big_int_Z.compare_big_int x y in
  if s = 0 then Eq else if s < 0 then Lt else Gt)

  (** val eqb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

  let rec eqb p q =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p0 ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q0 -> eqb p0 q0)
        (fun _ -> false)
        (fun _ -> false)
        q)
      (fun p0 ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun _ -> false)
        (fun q0 -> eqb p0 q0)
        (fun _ -> false)
        q)
      (fun _ ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun _ -> false)
        (fun _ -> false)
        (fun _ -> true)
        q)
      p
 end

module Z =
 struct
  (** val double : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let double x =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.zero_big_int)
      (fun p -> (Big_int_Z.mult_int_big_int 2 p))
      (fun p -> Big_int_Z.minus_big_int (Big_int_Z.mult_int_big_int 2 p))
      x

  (** val succ_double : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let succ_double x =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.unit_big_int)
      (fun p ->
      ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
      p))
      (fun p -> Big_int_Z.minus_big_int (Pos.pred_double p))
      x

  (** val pred_double : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let pred_double x =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.minus_big_int Big_int_Z.unit_big_int)
      (fun p -> (Pos.pred_double p))
      (fun p -> Big_int_Z.minus_big_int
      ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x)) p))
      x

  (** val pos_sub :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let rec pos_sub x y =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q -> double (pos_sub p q))
        (fun q -> succ_double (pos_sub p q))
        (fun _ -> (Big_int_Z.mult_int_big_int 2 p))
        y)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q -> pred_double (pos_sub p q))
        (fun q -> double (pos_sub p q))
        (fun _ -> (Pos.pred_double p))
        y)
      (fun _ ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun q -> Big_int_Z.minus_big_int (Big_int_Z.mult_int_big_int 2
        q))
        (fun q -> Big_int_Z.minus_big_int (Pos.pred_double q))
        (fun _ -> Big_int_Z.zero_big_int)
        y)
      x

  (** val add :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let add = Big_int_Z.add_big_int

  (** val opp : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let opp = Big_int_Z.minus_big_int

  (** val sub :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let sub = Big_int_Z.sub_big_int

  (** val mul :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let mul = Big_int_Z.mult_big_int

  (** val compare : Big_int_Z.big_int -> Big_int_Z.big_int -> comparison **)

  let compare = (fun x y -> let s = Big_int_Z.compare_big_int x y in
  if s = 0 then Eq else if s < 0 then Lt else Gt)

  (** val sgn : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let sgn z0 =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.zero_big_int)
      (fun _ -> Big_int_Z.unit_big_int)
      (fun _ -> Big_int_Z.minus_big_int Big_int_Z.unit_big_int)
      z0

  (** val leb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

  let leb x y =
    match compare x y with
    | Gt -> false
    | _ -> true

  (** val ltb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

  let ltb x y =
    match compare x y with
    | Lt -> true
    | _ -> false

  (** val eqb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

  let eqb = Big_int_Z.eq_big_int

  (** val max :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let max = Big_int_Z.max_big_int

  (** val min :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let min = Big_int_Z.min_big_int

  (** val abs : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let abs = Big_int_Z.abs_big_int

  (** val to_pos : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let to_pos z0 =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.unit_big_int)
      (fun p -> p)
      (fun _ -> Big_int_Z.unit_big_int)
      z0

  (** val pos_div_eucl :
      Big_int_Z.big_int -> Big_int_Z.big_int ->
      Big_int_Z.big_int*Big_int_Z.big_int **)

  let rec pos_div_eucl a b =
    (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
      (fun a' ->
      let q,r = pos_div_eucl a' b in
      let r' =
        add (mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) r)
          Big_int_Z.unit_big_int
      in
      if ltb r' b
      then (mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) q),r'
      else (add (mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) q)
             Big_int_Z.unit_big_int),(sub r' b))
      (fun a' ->
      let q,r = pos_div_eucl a' b in
      let r' = mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) r in
      if ltb r' b
      then (mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) q),r'
      else (add (mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) q)
             Big_int_Z.unit_big_int),(sub r' b))
      (fun _ ->
      if leb (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) b
      then Big_int_Z.zero_big_int,Big_int_Z.unit_big_int
      else Big_int_Z.unit_big_int,Big_int_Z.zero_big_int)
      a

  (** val div_eucl :
      Big_int_Z.big_int -> Big_int_Z.big_int ->
      Big_int_Z.big_int*Big_int_Z.big_int **)

  let div_eucl = Big_int_Z.(fun x y ->
  match sign_big_int y with
  | 0 -> (zero_big_int, x)
  | 1 -> quomod_big_int x y
  | _ -> let (q, r) = quomod_big_int (add_int_big_int (-1) x) y in
          (add_int_big_int (-1) q, add_big_int (add_int_big_int 1 y) r))

  (** val div :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let div = Big_int_Z.(fun x y ->
  match sign_big_int y with
  | 0 -> zero_big_int
  | 1 -> div_big_int x y
  | _ -> add_int_big_int (-1) (div_big_int (add_int_big_int (-1) x) y))

  (** val modulo :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let modulo = Big_int_Z.(fun x y ->
  match sign_big_int y with
  | 0 -> x
  | 1 -> mod_big_int x y
  | _ -> add_big_int y (add_int_big_int 1 (mod_big_int (add_int_big_int (-1) x) y)))

  (** val even : Big_int_Z.big_int -> bool **)

  let even z0 =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> true)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun _ -> false)
        (fun _ -> true)
        (fun _ -> false)
        p)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun _ -> false)
        (fun _ -> true)
        (fun _ -> false)
        p)
      z0

  (** val div2 : Big_int_Z.big_int -> Big_int_Z.big_int **)

  let div2 z0 =
    (fun fO fp fn z -> let s = Big_int_Z.sign_big_int z in
  if s = 0 then fO () else if s > 0 then fp z
  else fn (Big_int_Z.minus_big_int z))
      (fun _ -> Big_int_Z.zero_big_int)
      (fun p ->
      (fun f2p1 f2p f1 p ->
  if Big_int_Z.le_big_int p Big_int_Z.unit_big_int then f1 () else
  let (q,r) = Big_int_Z.quomod_big_int p (Big_int_Z.big_int_of_int 2) in
  if Big_int_Z.eq_big_int r Big_int_Z.zero_big_int then f2p q else f2p1 q)
        (fun _ -> (Pos.div2 p))
        (fun _ -> (Pos.div2 p))
        (fun _ -> Big_int_Z.zero_big_int)
        p)
      (fun p -> Big_int_Z.minus_big_int (Pos.div2_up p))
      z0

  (** val shiftl :
      Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

  let shiftl = Big_int_Z.(fun x y ->
  let y = int_of_big_int y in
  if y < 0 then shift_right_big_int x (-y)
  else shift_left_big_int x y)
 end

(** val hd : 'a1 -> 'a1 list -> 'a1 **)

let hd default = function
| [] -> default
| x :: _ -> x

(** val tl : 'a1 list -> 'a1 list **)

let tl = function
| [] -> []
| _ :: m -> m

(** val nth : int -> 'a1 list -> 'a1 -> 'a1 **)

let rec nth n l default =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> match l with
              | [] -> default
              | x :: _ -> x)
    (fun m -> match l with
              | [] -> default
              | _ :: t -> nth m t default)
    n

(** val nth_error : 'a1 list -> int -> 'a1 option **)

let rec nth_error l n =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> match l with
              | [] -> None
              | x :: _ -> Some x)
    (fun n0 -> match l with
               | [] -> None
               | _ :: l0 -> nth_error l0 n0)
    n

(** val rev : 'a1 list -> 'a1 list **)

let rec rev = function
| [] -> []
| x :: l' -> app (rev l') (x :: [])

(** val rev_append : 'a1 list -> 'a1 list -> 'a1 list **)

let rec rev_append l l' =
  match l with
  | [] -> l'
  | a :: l0 -> rev_append l0 (a :: l')

(** val concat : 'a1 list list -> 'a1 list **)

let rec concat = function
| [] -> []
| x :: l0 -> app x (concat l0)

(** val map : ('a1 -> 'a2) -> 'a1 list -> 'a2 list **)

let rec map f = function
| [] -> []
| a :: t -> (f a) :: (map f t)

(** val fold_left : ('a1 -> 'a2 -> 'a1) -> 'a2 list -> 'a1 -> 'a1 **)

let rec fold_left f l a0 =
  match l with
  | [] -> a0
  | b :: t -> fold_left f t (f a0 b)

(** val existsb : ('a1 -> bool) -> 'a1 list -> bool **)

let rec existsb f = function
| [] -> false
| a :: l0 -> (||) (f a) (existsb f l0)

(** val forallb : ('a1 -> bool) -> 'a1 list -> bool **)

let rec forallb f = function
| [] -> true
| a :: l0 -> (&&) (f a) (forallb f l0)

(** val filter : ('a1 -> bool) -> 'a1 list -> 'a1 list **)

let rec filter f = function
| [] -> []
| x :: l0 -> if f x then x :: (filter f l0) else filter f l0

(** val find : ('a1 -> bool) -> 'a1 list -> 'a1 option **)

let rec find f = function
| [] -> None
| x :: tl0 -> if f x then Some x else find f tl0

(** val seq : int -> int -> int list **)

let rec seq start len =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> [])
    (fun len0 -> start :: (seq (Stdlib.Int.succ start) len0))
    len

type row = { exponent : Big_int_Z.big_int; constant : Big_int_Z.big_int;
             coefficients : Big_int_Z.big_int list }

type layer = { inputs : int; rows : row list; rectified : bool list }

type network = { network_inputs : int; layers : layer list }

type point = { denominator : Big_int_Z.big_int;
               numerators : Big_int_Z.big_int list }

type domain =
| AllSpace
| Orthant
| Box of point * point
| Polytope of (Big_int_Z.big_int*Big_int_Z.big_int list) list

type subject =
| NetworkInput of point
| LayerInput of point
| LayerOutput of point

type cardinality =
| Singleton
| Bounded
| Unbounded
| Infinite

type claim =
| Empty
| Preimage of cardinality * int * int * int

type relation = { related : int; factor : Big_int_Z.big_int;
                  terms : (int*Big_int_Z.big_int) list }

type upper_bound =
| ByRows
| ByColumns
| ByRelations of relation list
| ByNullVectors of Big_int_Z.big_int list list

type rank_evidence = { rank_value : int; modulus : Big_int_Z.big_int;
                       chosen_rows : bool list; chosen_columns : bool list;
                       bound_above : upper_bound }

type evidence =
| Solution of point
| RankOf of rank_evidence
| TrivialMargin of bool list * Big_int_Z.big_int * Big_int_Z.big_int list
| TrivialExact of Big_int_Z.big_int list * rank_evidence
| Tight of bool list
| Implicit of Big_int_Z.big_int list * rank_evidence
| RayMargin of Big_int_Z.big_int list
| RayExact of Big_int_Z.big_int list
| Recession of point
| NegativeOutput of int
| FarkasMultipliers of Big_int_Z.big_int list
| EmptyMargin of bool list * Big_int_Z.big_int * Big_int_Z.big_int list

type certificate = { scope_layer : int; on : domain; about : subject;
                     claimed : claim; proved_by : evidence list }

type endpoint =
| InputOf of point
| OutputOf of point

type through_claim =
| NoInput
| Inputs of cardinality * int
| FiniteInputs of int * int

type part = { part_layer : int; part_claim : claim;
              part_proved_by : evidence list }

type case_tree =
| Divide of int * int * case_tree * case_tree
| Leaf of claim * evidence list

type through_evidence =
| Parts of part list
| Cases of case_tree
| SecondPoint of point
| Direction of point
| StartingAt of point * through_evidence

type through_certificate = { last_layer : int; through_on : domain;
                             through_about : endpoint;
                             through_claimed : through_claim;
                             through_proved_by : through_evidence }

(** val map_onto : ('a1 -> 'a2) -> 'a1 list -> 'a2 list -> 'a2 list **)

let rec map_onto f l reversed =
  match l with
  | [] -> rev_append reversed []
  | a :: l' -> map_onto f l' ((f a) :: reversed)

(** val tmap : ('a1 -> 'a2) -> 'a1 list -> 'a2 list **)

let tmap f l =
  map_onto f l []

(** val map2_onto :
    ('a1 -> 'a2 -> 'a3) -> 'a1 list -> 'a2 list -> 'a3 list -> 'a3 list **)

let rec map2_onto f l m reversed =
  match l with
  | [] -> rev_append reversed []
  | a :: l' ->
    (match m with
     | [] -> rev_append reversed []
     | b :: m' -> map2_onto f l' m' ((f a b) :: reversed))

(** val tmap2 : ('a1 -> 'a2 -> 'a3) -> 'a1 list -> 'a2 list -> 'a3 list **)

let tmap2 f l m =
  map2_onto f l m []

(** val tapp : 'a1 list -> 'a1 list -> 'a1 list **)

let tapp l m =
  rev_append (rev_append l []) m

(** val count_onto : int -> 'a1 list -> int **)

let rec count_onto n = function
| [] -> n
| _ :: l' -> count_onto (Stdlib.Int.succ n) l'

(** val size_of : 'a1 list -> int **)

let size_of l =
  count_onto 0 l

(** val repeat_onto : 'a1 -> int -> 'a1 list -> 'a1 list **)

let rec repeat_onto a n l =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> l)
    (fun n' -> repeat_onto a n' (a :: l))
    n

(** val zeros : int -> Big_int_Z.big_int list **)

let zeros n =
  repeat_onto Big_int_Z.zero_big_int n []

(** val dot_from :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int **)

let rec dot_from sum a x =
  match a with
  | [] -> sum
  | u :: a' ->
    (match x with
     | [] -> sum
     | v :: x' -> dot_from (Z.add sum (Z.mul u v)) a' x')

(** val dot :
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int **)

let dot a x =
  dot_from Big_int_Z.zero_big_int a x

(** val add_scaled_onto :
    Big_int_Z.big_int list -> Big_int_Z.big_int -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let rec add_scaled_onto reversed l a acc =
  match a with
  | [] -> rev_append reversed acc
  | x :: a' ->
    (match acc with
     | [] -> rev_append reversed (tmap (Z.mul l) a)
     | y :: acc' ->
       add_scaled_onto ((Z.add y (Z.mul l x)) :: reversed) l a' acc')

(** val add_scaled :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list **)

let add_scaled l a acc =
  if Z.eqb l Big_int_Z.zero_big_int then acc else add_scaled_onto [] l a acc

(** val combination :
    Big_int_Z.big_int list -> Big_int_Z.big_int list list ->
    Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let rec combination ls rows0 acc =
  match ls with
  | [] -> acc
  | l :: ls' ->
    (match rows0 with
     | [] -> acc
     | a :: rows' -> combination ls' rows' (add_scaled l a acc))

(** val sum_abs_from :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int **)

let rec sum_abs_from sum = function
| [] -> sum
| u :: a' -> sum_abs_from (Z.add sum (Z.abs u)) a'

(** val sum_abs : Big_int_Z.big_int list -> Big_int_Z.big_int **)

let sum_abs a =
  sum_abs_from Big_int_Z.zero_big_int a

(** val max_abs : Big_int_Z.big_int list -> Big_int_Z.big_int **)

let max_abs a =
  fold_left (fun m u -> Z.max m (Z.abs u)) a Big_int_Z.zero_big_int

(** val is_zero : Big_int_Z.big_int list -> bool **)

let is_zero a =
  forallb (Z.eqb Big_int_Z.zero_big_int) a

(** val pick_onto : bool list -> 'a1 list -> 'a1 list -> 'a1 list **)

let rec pick_onto marks l reversed =
  match marks with
  | [] -> rev_append reversed []
  | b :: marks' ->
    (match l with
     | [] -> rev_append reversed []
     | a :: l' -> pick_onto marks' l' (if b then a :: reversed else reversed))

(** val pick : bool list -> 'a1 list -> 'a1 list **)

let pick marks l =
  pick_onto marks l []

(** val fit_onto : int -> bool list -> bool list -> bool list option **)

let rec fit_onto n marks reversed =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ ->
    if forallb negb marks then Some (rev_append reversed []) else None)
    (fun n' ->
    match marks with
    | [] -> fit_onto n' [] (false :: reversed)
    | b :: marks' -> fit_onto n' marks' (b :: reversed))
    n

(** val fit : int -> bool list -> bool list option **)

let fit n mask =
  fit_onto n mask []

(** val number_from : int -> bool list -> int **)

let rec number_from n = function
| [] -> n
| b :: marks' -> number_from (if b then Stdlib.Int.succ n else n) marks'

(** val number : bool list -> int **)

let number marks =
  number_from 0 marks

(** val split_onto : int -> 'a1 list -> 'a1 list -> 'a1 list*'a1 list **)

let rec split_onto n l reversed =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> (rev_append reversed []),l)
    (fun n' ->
    match l with
    | [] -> (rev_append reversed []),l
    | a :: l' -> split_onto n' l' (a :: reversed))
    n

(** val split_at : int -> 'a1 list -> 'a1 list*'a1 list **)

let split_at n l =
  split_onto n l []

(** val horner :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int **)

let rec horner b = function
| [] -> Big_int_Z.zero_big_int
| a :: l' -> Z.add a (Z.mul b (horner b l'))

(** val pairs_onto :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list **)

let rec pairs_onto b l reversed =
  match l with
  | [] -> rev_append reversed []
  | a :: l0 ->
    (match l0 with
     | [] -> rev_append reversed (a :: [])
     | b0 :: l' -> pairs_onto b l' ((Z.add a (Z.mul b b0)) :: reversed))

(** val pack_within :
    int -> Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int **)

let rec pack_within halvings b l =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ ->
    match l with
    | [] -> Big_int_Z.zero_big_int
    | a :: l0 -> (match l0 with
                  | [] -> a
                  | _ :: _ -> horner b l))
    (fun h ->
    match l with
    | [] -> Big_int_Z.zero_big_int
    | a :: l0 ->
      (match l0 with
       | [] -> a
       | _ :: _ -> pack_within h (Z.mul b b) (pairs_onto b l [])))
    halvings

(** val pack :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int **)

let pack b l =
  pack_within (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ 0)))))))))))))))))))))))))))))))) b l

type oracle = { approximate_inverse : (int -> Big_int_Z.big_int list list ->
                                      Big_int_Z.big_int list
                                      list*Big_int_Z.big_int);
                modular_inverse : (Big_int_Z.big_int -> Big_int_Z.big_int
                                  list list -> Big_int_Z.big_int list list);
                base_above : (Big_int_Z.big_int -> Big_int_Z.big_int);
                digits : (Big_int_Z.big_int -> int -> Big_int_Z.big_int ->
                         Big_int_Z.big_int list) }

type slice = { radix : Big_int_Z.big_int; width : int;
               largest : Big_int_Z.big_int; packed : Big_int_Z.big_int list }

(** val pack_slice :
    oracle -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list -> slice **)

let pack_slice propose width0 weight0 rows0 =
  let largest1 =
    fold_left (fun m a -> Z.max m (max_abs a)) rows0 Big_int_Z.zero_big_int
  in
  let b =
    propose.base_above
      (Z.mul
        (Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) weight0)
        largest1)
  in
  { radix = b; width = width0; largest = largest1; packed =
  (tmap (pack b) rows0) }

(** val slice_product :
    oracle -> slice -> Big_int_Z.big_int list -> Big_int_Z.big_int list option **)

let slice_product propose rows0 q =
  let b = rows0.radix in
  let r = dot q rows0.packed in
  let e = propose.digits b rows0.width r in
  if (&&)
       ((&&)
         ((&&) ((=) (size_of e) rows0.width)
           (Z.ltb
             (Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int)
               (Z.mul (sum_abs q) rows0.largest)) b))
         (forallb (fun u ->
           Z.ltb
             (Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int)
               (Z.abs u)) b) e)) (Z.eqb (pack b e) r)
  then Some e
  else None

(** val slice_width : int **)

let slice_width =
  mul (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    0)))))))))))))))) (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ 0))))))))

type packed_rows = slice list

(** val pack_within_rows :
    oracle -> int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list
    -> packed_rows **)

let rec pack_within_rows propose slices width0 weight0 rows0 =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> (pack_slice propose width0 weight0 rows0) :: [])
    (fun slices' ->
    if (<=) width0 slice_width
    then (pack_slice propose width0 weight0 rows0) :: []
    else let parts = tmap (split_at slice_width) rows0 in
         (pack_slice propose slice_width weight0 (tmap fst parts)) :: 
         (pack_within_rows propose slices' (sub width0 slice_width) weight0
           (tmap snd parts)))
    slices

(** val pack_rows :
    oracle -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list ->
    packed_rows **)

let pack_rows propose width0 weight0 rows0 =
  pack_within_rows propose width0 width0 weight0 rows0

(** val product :
    oracle -> packed_rows -> Big_int_Z.big_int list -> Big_int_Z.big_int list
    option **)

let rec product propose rows0 q =
  match rows0 with
  | [] -> Some []
  | s :: rows' ->
    (match slice_product propose s q with
     | Some e ->
       (match product propose rows' q with
        | Some es -> Some (tapp e es)
        | None -> None)
     | None -> None)

type place =
| Outside
| Inside
| Beside

(** val is_inside : place -> bool **)

let is_inside = function
| Inside -> true
| _ -> false

(** val is_beside : place -> bool **)

let is_beside = function
| Beside -> true
| _ -> false

(** val arrange :
    place list -> Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let arrange places a =
  tapp (pick (tmap is_inside places) a) (pick (tmap is_beside places) a)

type inverse_bound = { gap : Big_int_Z.big_int;
                       row_bounds : Big_int_Z.big_int list;
                       side_bounds : Big_int_Z.big_int list;
                       correction : Big_int_Z.big_int;
                       error : Big_int_Z.big_int }

(** val maxima :
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let maxima m a =
  tmap2 (fun u v -> Z.max u (Z.abs v)) m a

(** val off_identity :
    Big_int_Z.big_int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list
    -> Big_int_Z.big_int **)

let rec off_identity sum k d = function
| [] -> sum
| u :: e' ->
  ((fun fO fS n -> if n=0 then fO () else fS (n-1))
     (fun _ -> sum_abs_from (Z.add sum (Z.abs (Z.sub d u))) e')
     (fun k' -> off_identity (Z.add sum (Z.abs u)) k' d e')
     k)

(** val examine :
    oracle -> int -> Big_int_Z.big_int -> packed_rows -> Big_int_Z.big_int
    list -> Big_int_Z.big_int list -> Big_int_Z.big_int list list -> int ->
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int -> (((Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int list)*Big_int_Z.big_int) option **)

let rec examine propose size d rows0 rho side_rho0 q k a qs gs c =
  match q with
  | [] -> Some (((a,qs),gs),c)
  | q0 :: q' ->
    (match product propose rows0 q0 with
     | Some e ->
       let inside,beside = split_at size e in
       if (=) (size_of q0) size
       then examine propose size d rows0 rho side_rho0 q' (Stdlib.Int.succ k)
              (Z.max a (off_identity Big_int_Z.zero_big_int k d inside))
              (maxima qs q0) (maxima gs beside)
              (Z.max c
                (Z.add (dot (tmap Z.abs q0) rho)
                  (dot (tmap Z.abs beside) side_rho0)))
       else None
     | None -> None)

(** val bound_inverse :
    oracle -> int -> place list -> Big_int_Z.big_int list list ->
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> inverse_bound option **)

let bound_inverse propose attempt places rows0 rho side_rho0 =
  let size = number (tmap is_inside places) in
  let sides0 = number (tmap is_beside places) in
  let arranged = tmap (arrange places) rows0 in
  let q,d =
    propose.approximate_inverse attempt
      (tmap (fun a -> fst (split_at size a)) arranged)
  in
  let weight0 =
    fold_left (fun m q0 -> Z.max m (sum_abs q0)) q Big_int_Z.zero_big_int
  in
  if (&&)
       ((&&)
         ((&&) ((&&) ((=) (size_of rows0) size) ((=) (size_of q) size))
           ((=) (size_of rho) size)) ((=) (size_of side_rho0) sides0))
       (forallb (fun a -> (=) (size_of a) (size_of places)) rows0)
  then (match examine propose size d
                (pack_rows propose (add size sides0) weight0 arranged) rho
                side_rho0 q 0 Big_int_Z.zero_big_int (zeros size)
                (zeros sides0) Big_int_Z.zero_big_int with
        | Some p ->
          let p0,c = p in
          let p1,gs = p0 in
          let a,qs = p1 in
          if Z.ltb a d
          then Some { gap = (Z.sub d a); row_bounds = qs; side_bounds =
                 (tmap (Z.max (Z.sub d a)) gs); correction =
                 (Z.max c (Z.mul (Z.sub d a) (max_abs side_rho0))); error =
                 a }
          else None
        | None -> None)
  else None

(** val attempts : int list **)

let attempts =
  0 :: ((Stdlib.Int.succ 0) :: ((Stdlib.Int.succ (Stdlib.Int.succ
    0)) :: ((Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    0))) :: ((Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ 0)))) :: ((Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    0))))) :: ((Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ
    (Stdlib.Int.succ (Stdlib.Int.succ (Stdlib.Int.succ 0)))))) :: []))))))

(** val some_bound :
    oracle -> int list -> place list -> Big_int_Z.big_int list list ->
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> (inverse_bound ->
    bool) -> bool **)

let rec some_bound propose tried places rows0 rho side_rho0 accept =
  match tried with
  | [] -> false
  | attempt :: tried' ->
    (match bound_inverse propose attempt places rows0 rho side_rho0 with
     | Some b ->
       (||) (accept b)
         ((&&)
           (negb
             (Z.ltb
               (Z.shiftl b.error (Big_int_Z.mult_int_big_int 2
                 (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
                 ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
                 (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int))))))
               b.gap))
           (some_bound propose tried' places rows0 rho side_rho0 accept))
     | None -> some_bound propose tried' places rows0 rho side_rho0 accept)

(** val divided :
    Big_int_Z.big_int list -> Big_int_Z.big_int -> Big_int_Z.big_int list **)

let divided a q =
  if forallb (fun u -> Z.eqb (Z.modulo u q) Big_int_Z.zero_big_int) a
  then tmap (fun u -> Z.div u q) a
  else a

(** val powers_of_two : Big_int_Z.big_int list **)

let powers_of_two =
  map (fun k ->
    Z.shiftl Big_int_Z.unit_big_int (Z.shiftl Big_int_Z.unit_big_int k))
    (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: ((Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: ((Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: ((Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: ((Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int))) :: ((Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int))) :: ((Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int))) :: ((Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int))) :: ((Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int))) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int)) :: ((Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int)) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)) :: ((Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int)) :: (((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int) :: ((Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int) :: (Big_int_Z.unit_big_int :: (Big_int_Z.zero_big_int :: []))))))))))))))))))))))))

(** val odd_row : Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let odd_row a =
  if forallb Z.even a then fold_left divided powers_of_two a else a

(** val is_unit_row :
    Big_int_Z.big_int -> int -> Big_int_Z.big_int list -> bool **)

let rec is_unit_row q k = function
| [] -> true
| u :: e' ->
  ((fun fO fS n -> if n=0 then fO () else fS (n-1))
     (fun _ ->
     (&&)
       (Z.eqb (Z.modulo (Z.sub u Big_int_Z.unit_big_int) q)
         Big_int_Z.zero_big_int)
       (forallb (fun v -> Z.eqb (Z.modulo v q) Big_int_Z.zero_big_int) e'))
     (fun k' ->
     (&&) (Z.eqb (Z.modulo u q) Big_int_Z.zero_big_int) (is_unit_row q k' e'))
     k)

(** val are_unit_rows :
    oracle -> Big_int_Z.big_int -> packed_rows -> Big_int_Z.big_int list list
    -> int -> bool **)

let rec are_unit_rows propose q rows0 l k =
  match l with
  | [] -> true
  | l0 :: l' ->
    (match product propose rows0 l0 with
     | Some e ->
       (&&) (is_unit_row q k e)
         (are_unit_rows propose q rows0 l' (Stdlib.Int.succ k))
     | None -> false)

(** val invertible_modulo :
    oracle -> Big_int_Z.big_int -> int -> Big_int_Z.big_int list list -> bool **)

let invertible_modulo propose q size block0 =
  let reduced = tmap (tmap (fun u -> Z.modulo u q)) block0 in
  let l = propose.modular_inverse q reduced in
  let weight0 =
    fold_left (fun m l0 -> Z.max m (sum_abs l0)) l Big_int_Z.zero_big_int
  in
  (&&)
    ((&&)
      ((&&)
        ((&&) (Z.ltb Big_int_Z.unit_big_int q) ((=) (size_of block0) size))
        ((=) (size_of l) size))
      (forallb (fun a -> (=) (size_of a) size) block0))
    (are_unit_rows propose q (pack_rows propose size weight0 reduced) l 0)

(** val layer_ok : layer -> bool **)

let layer_ok l =
  (&&) ((=) (size_of l.rectified) (size_of l.rows))
    (forallb (fun r -> (=) (size_of r.coefficients) l.inputs) l.rows)

(** val widths_ok : int -> layer list -> bool **)

let rec widths_ok n = function
| [] -> true
| l :: ls' ->
  (&&) ((&&) ((=) l.inputs n) (layer_ok l)) (widths_ok (size_of l.rows) ls')

(** val network_ok : network -> bool **)

let network_ok net =
  widths_ok net.network_inputs net.layers

(** val point_ok : int -> point -> bool **)

let point_ok n p =
  (&&) (Z.ltb Big_int_Z.zero_big_int p.denominator)
    ((=) (size_of p.numerators) n)

(** val domain_ok : int -> domain -> bool **)

let domain_ok n = function
| Box (lower, upper) ->
  (&&) ((&&) (point_ok n lower) (point_ok n upper))
    (forallb (fun b -> b)
      (tmap2 (fun lo hi ->
        Z.leb (Z.mul lo upper.denominator) (Z.mul hi lower.denominator))
        lower.numerators upper.numerators))
| Polytope sides0 -> forallb (fun s -> (=) (size_of (snd s)) n) sides0
| _ -> true

(** val lowest_exponent : row list -> Big_int_Z.big_int **)

let lowest_exponent rs =
  fold_left (fun m r -> Z.min m r.exponent) rs Big_int_Z.zero_big_int

(** val row_values : layer -> point -> point **)

let row_values l p =
  let low = lowest_exponent l.rows in
  { denominator = (Z.shiftl p.denominator (Z.opp low)); numerators =
  (tmap (fun r ->
    Z.shiftl
      (Z.add (Z.mul r.constant p.denominator)
        (dot r.coefficients p.numerators)) (Z.sub r.exponent low)) l.rows) }

(** val rectify : layer -> point -> point **)

let rectify l z0 =
  { denominator = z0.denominator; numerators =
    (tmap2 (fun v b -> if b then Z.max Big_int_Z.zero_big_int v else v)
      z0.numerators l.rectified) }

(** val layer_value : layer -> point -> point **)

let layer_value l p =
  rectify l (row_values l p)

(** val contains : domain -> point -> bool **)

let contains k p =
  match k with
  | AllSpace -> true
  | Orthant -> forallb (Z.leb Big_int_Z.zero_big_int) p.numerators
  | Box (lower, upper) ->
    (&&)
      (forallb (fun b -> b)
        (tmap2 (fun lo v ->
          Z.leb (Z.mul lo p.denominator) (Z.mul v lower.denominator))
          lower.numerators p.numerators))
      (forallb (fun b -> b)
        (tmap2 (fun v hi ->
          Z.leb (Z.mul v upper.denominator) (Z.mul hi p.denominator))
          p.numerators upper.numerators))
  | Polytope sides0 ->
    forallb (fun s ->
      Z.leb (Z.add (Z.mul (fst s) p.denominator) (dot (snd s) p.numerators))
        Big_int_Z.zero_big_int) sides0

(** val same_point : point -> point -> bool **)

let same_point p p' =
  (&&) ((=) (size_of p.numerators) (size_of p'.numerators))
    (forallb (fun b -> b)
      (tmap2 (fun u v ->
        Z.eqb (Z.mul u p'.denominator) (Z.mul v p.denominator)) p.numerators
        p'.numerators))

type general_row = { is_equality : bool; weight : Big_int_Z.big_int;
                     binary : Big_int_Z.big_int;
                     normal : Big_int_Z.big_int list }

type system = { columns : int; general : general_row list;
                lower_sides : bool list; upper_sides : bool list }

(** val nonzero_rows : general_row list -> general_row list **)

let nonzero_rows rs =
  pick (tmap (fun r -> negb (is_zero r.normal)) rs) rs

(** val layer_general : bool -> row -> general_row **)

let layer_general equality r =
  { is_equality = equality; weight = Big_int_Z.unit_big_int; binary =
    r.exponent; normal = r.coefficients }

(** val polytope_general :
    (Big_int_Z.big_int*Big_int_Z.big_int list) -> general_row **)

let polytope_general s =
  { is_equality = false; weight = Big_int_Z.unit_big_int; binary =
    Big_int_Z.zero_big_int; normal = (snd s) }

(** val all_columns : bool -> int -> bool list **)

let all_columns b n =
  repeat_onto b n []

(** val in_P : bool -> Big_int_Z.big_int -> bool **)

let in_P marked v =
  (||) (negb marked) (Z.ltb Big_int_Z.zero_big_int v)

(** val active_rows : layer -> point -> general_row list **)

let active_rows l z0 =
  tmap (layer_general true)
    (pick (tmap2 in_P l.rectified z0.numerators) l.rows)

(** val tight_layer_rows : layer -> point -> general_row list **)

let tight_layer_rows l z0 =
  pick
    (tmap2 (fun marked v ->
      (||) (in_P marked v) (Z.eqb v Big_int_Z.zero_big_int)) l.rectified
      z0.numerators)
    (tmap2 (fun r e -> layer_general e r) l.rows
      (tmap2 in_P l.rectified z0.numerators))

(** val tight_system : layer -> domain -> point -> point -> system **)

let tight_system l k x z0 =
  let n = l.inputs in
  let d = x.denominator in
  let none = all_columns false n in
  let rows_of = fun k0 ->
    match k0 with
    | AllSpace -> []
    | Orthant -> []
    | Box (_, _) -> []
    | Polytope sides0 ->
      tmap polytope_general
        (pick
          (tmap (fun s ->
            Z.eqb (Z.add (Z.mul (fst s) d) (dot (snd s) x.numerators))
              Big_int_Z.zero_big_int) sides0) sides0)
  in
  (match k with
   | Orthant ->
     let lower = tmap (Z.eqb Big_int_Z.zero_big_int) x.numerators in
     { columns = n; general =
     (nonzero_rows (tapp (tight_layer_rows l z0) (rows_of k))); lower_sides =
     lower; upper_sides = none }
   | Box (lo, hi) ->
     let lower =
       tmap2 (fun b v -> Z.eqb (Z.mul b d) (Z.mul v lo.denominator))
         lo.numerators x.numerators
     in
     let upper =
       tmap2 (fun b v -> Z.eqb (Z.mul b d) (Z.mul v hi.denominator))
         hi.numerators x.numerators
     in
     { columns = n; general =
     (nonzero_rows (tapp (tight_layer_rows l z0) (rows_of k))); lower_sides =
     lower; upper_sides = upper }
   | _ ->
     { columns = n; general =
       (nonzero_rows (tapp (tight_layer_rows l z0) (rows_of k)));
       lower_sides = none; upper_sides = none })

(** val recession_system : layer -> domain -> point -> system **)

let recession_system l k z0 =
  let n = l.inputs in
  let layer_rows =
    tmap2 (fun r e -> layer_general e r) l.rows
      (tmap2 in_P l.rectified z0.numerators)
  in
  let polytope_rows =
    match k with
    | AllSpace -> []
    | Orthant -> []
    | Box (_, _) -> []
    | Polytope sides0 -> tmap polytope_general sides0
  in
  let lower =
    all_columns
      (match k with
       | AllSpace -> false
       | Polytope _ -> false
       | _ -> true) n
  in
  let upper = all_columns (match k with
                           | Box (_, _) -> true
                           | _ -> false) n in
  { columns = n; general = (nonzero_rows (tapp layer_rows polytope_rows));
  lower_sides = lower; upper_sides = upper }

(** val up : Big_int_Z.big_int -> Big_int_Z.big_int **)

let up e =
  Z.shiftl Big_int_Z.unit_big_int (Z.max Big_int_Z.zero_big_int e)

(** val down : Big_int_Z.big_int -> Big_int_Z.big_int **)

let down e =
  Z.shiftl Big_int_Z.unit_big_int (Z.max Big_int_Z.zero_big_int (Z.opp e))

(** val box_rows :
    int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int
    -> Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list
    -> general_row list **)

let rec box_rows n j dl dh wl wh lo hi =
  match lo with
  | [] -> []
  | l :: lo' ->
    (match hi with
     | [] -> []
     | h :: hi' ->
       { is_equality = false; weight = wl; binary = Big_int_Z.zero_big_int;
         normal =
         (repeat_onto Big_int_Z.zero_big_int j
           ((Z.opp dl) :: (repeat_onto Big_int_Z.zero_big_int
                            (sub n (Stdlib.Int.succ j)) (l :: [])))) } :: ({ is_equality =
         false; weight = wh; binary = Big_int_Z.zero_big_int; normal =
         (repeat_onto Big_int_Z.zero_big_int j
           (dh :: (repeat_onto Big_int_Z.zero_big_int
                    (sub n (Stdlib.Int.succ j)) ((Z.opp h) :: [])))) } :: 
         (box_rows n (Stdlib.Int.succ j) dl dh wl wh lo' hi')))

(** val homogenised_system : layer -> domain -> point -> system **)

let homogenised_system l k y =
  let n = l.inputs in
  let y0 = y.denominator in
  (match k with
   | Box (lo, hi) ->
     let dl = lo.denominator in
     let dh = hi.denominator in
     let equality_row = fun r v ->
       let f = Z.mul y0 (up r.exponent) in
       { is_equality = true; weight = (Z.to_pos (Z.mul dl dh)); binary =
       (Z.opp (Z.max Big_int_Z.zero_big_int (Z.opp r.exponent))); normal =
       (tapp (tmap (Z.mul f) r.coefficients)
         ((Z.sub (Z.mul r.constant f) (Z.mul v (down r.exponent))) :: [])) }
     in
     let layer_row0 = fun r vb ->
       let v,marked = vb in
       if in_P marked v
       then equality_row r v
       else { is_equality = false; weight =
              (Z.to_pos (Z.mul (Z.mul y0 dl) dh)); binary = r.exponent;
              normal = (tapp r.coefficients (r.constant :: [])) }
     in
     let layer_rows =
       tmap2 layer_row0 l.rows
         (tmap2 (fun x x0 -> x,x0) y.numerators l.rectified)
     in
     let domain_rows0 =
       match k with
       | AllSpace -> []
       | Orthant -> []
       | Box (lo0, hi0) ->
         box_rows n 0 dl dh (Z.to_pos (Z.mul y0 dh)) (Z.to_pos (Z.mul y0 dl))
           lo0.numerators hi0.numerators
       | Polytope sides0 ->
         tmap (fun s -> { is_equality = false; weight =
           (Z.to_pos (Z.mul (Z.mul y0 dl) dh)); binary =
           Big_int_Z.zero_big_int; normal = (tapp (snd s) ((fst s) :: [])) })
           sides0
     in
     let lower =
       match k with
       | AllSpace -> tapp (all_columns false n) (true :: [])
       | Orthant -> all_columns true (Stdlib.Int.succ n)
       | _ -> tapp (all_columns false n) (true :: [])
     in
     { columns = (Stdlib.Int.succ n); general =
     (nonzero_rows (tapp layer_rows domain_rows0)); lower_sides = lower;
     upper_sides = (all_columns false (Stdlib.Int.succ n)) }
   | _ ->
     let dl = Big_int_Z.unit_big_int in
     let dh = Big_int_Z.unit_big_int in
     let equality_row = fun r v ->
       let f = Z.mul y0 (up r.exponent) in
       { is_equality = true; weight = (Z.to_pos (Z.mul dl dh)); binary =
       (Z.opp (Z.max Big_int_Z.zero_big_int (Z.opp r.exponent))); normal =
       (tapp (tmap (Z.mul f) r.coefficients)
         ((Z.sub (Z.mul r.constant f) (Z.mul v (down r.exponent))) :: [])) }
     in
     let layer_row0 = fun r vb ->
       let v,marked = vb in
       if in_P marked v
       then equality_row r v
       else { is_equality = false; weight =
              (Z.to_pos (Z.mul (Z.mul y0 dl) dh)); binary = r.exponent;
              normal = (tapp r.coefficients (r.constant :: [])) }
     in
     let layer_rows =
       tmap2 layer_row0 l.rows
         (tmap2 (fun x x0 -> x,x0) y.numerators l.rectified)
     in
     let domain_rows0 =
       match k with
       | AllSpace -> []
       | Orthant -> []
       | Box (lo, hi) ->
         box_rows n 0 dl dh (Z.to_pos (Z.mul y0 dh)) (Z.to_pos (Z.mul y0 dl))
           lo.numerators hi.numerators
       | Polytope sides0 ->
         tmap (fun s -> { is_equality = false; weight =
           (Z.to_pos (Z.mul (Z.mul y0 dl) dh)); binary =
           Big_int_Z.zero_big_int; normal = (tapp (snd s) ((fst s) :: [])) })
           sides0
     in
     let lower =
       match k with
       | AllSpace -> tapp (all_columns false n) (true :: [])
       | Orthant -> all_columns true (Stdlib.Int.succ n)
       | _ -> tapp (all_columns false n) (true :: [])
     in
     { columns = (Stdlib.Int.succ n); general =
     (nonzero_rows (tapp layer_rows domain_rows0)); lower_sides = lower;
     upper_sides = (all_columns false (Stdlib.Int.succ n)) })

type entry =
| General of general_row
| Side of int * Big_int_Z.big_int

(** val sides_onto :
    int -> bool list -> bool list -> entry list -> entry list **)

let rec sides_onto j lower upper reversed =
  match lower with
  | [] -> rev_append reversed []
  | l :: lower' ->
    (match upper with
     | [] -> rev_append reversed []
     | u :: upper' ->
       let reversed0 =
         if l
         then (Side (j, (Big_int_Z.minus_big_int
                Big_int_Z.unit_big_int))) :: reversed
         else reversed
       in
       let reversed1 =
         if u
         then (Side (j, Big_int_Z.unit_big_int)) :: reversed0
         else reversed0
       in
       sides_onto (Stdlib.Int.succ j) lower' upper' reversed1)

(** val sides : system -> entry list **)

let sides s =
  sides_onto 0 s.lower_sides s.upper_sides []

(** val side_marks_onto :
    bool list -> bool list -> bool list -> bool list -> bool list -> bool list **)

let rec side_marks_onto lower upper mark_lower mark_upper reversed =
  match lower with
  | [] -> rev_append reversed []
  | l :: lower' ->
    (match upper with
     | [] -> rev_append reversed []
     | u :: upper' ->
       (match mark_lower with
        | [] -> rev_append reversed []
        | ml :: mark_lower' ->
          (match mark_upper with
           | [] -> rev_append reversed []
           | mu :: mark_upper' ->
             let reversed0 = if l then ml :: reversed else reversed in
             let reversed1 = if u then mu :: reversed0 else reversed0 in
             side_marks_onto lower' upper' mark_lower' mark_upper' reversed1)))

(** val side_marks : system -> bool list -> bool list -> bool list **)

let side_marks s mark_lower mark_upper =
  side_marks_onto s.lower_sides s.upper_sides mark_lower mark_upper []

(** val entry_at : Big_int_Z.big_int list -> int -> Big_int_Z.big_int **)

let rec entry_at d j =
  match d with
  | [] -> Big_int_Z.zero_big_int
  | u :: d' ->
    ((fun fO fS n -> if n=0 then fO () else fS (n-1))
       (fun _ -> u)
       (fun j' -> entry_at d' j')
       j)

(** val entry_dot : Big_int_Z.big_int list -> entry -> Big_int_Z.big_int **)

let entry_dot d = function
| General r -> dot r.normal d
| Side (j, sign) -> Z.mul sign (entry_at d j)

(** val entry_is_zero : entry -> bool **)

let entry_is_zero = function
| General r -> is_zero r.normal
| Side (_, _) -> false

(** val general_normals : entry list -> Big_int_Z.big_int list list **)

let general_normals es =
  rev_append
    (fold_left (fun ns e ->
      match e with
      | General r -> r.normal :: ns
      | Side (_, _) -> ns) es []) []

(** val side_columns : entry list -> int list **)

let side_columns es =
  rev_append
    (fold_left (fun js e ->
      match e with
      | General _ -> js
      | Side (j, _) -> j :: js) es []) []

(** val scale_weights :
    general_row list -> Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let scale_weights rs ws =
  let low = fold_left (fun m r -> Z.min m r.binary) rs Big_int_Z.zero_big_int
  in
  tmap2 (fun r w -> Z.shiftl (Z.mul w r.weight) (Z.sub r.binary low)) rs ws

(** val signs_ok : general_row list -> Big_int_Z.big_int list -> bool **)

let signs_ok rs ws =
  (&&) ((=) (size_of rs) (size_of ws))
    (forallb (fun b -> b)
      (tmap2 (fun r w -> (||) r.is_equality (Z.leb Big_int_Z.zero_big_int w))
        rs ws))

type block = { block_size : int; block_entries : entry list;
               block_places : place list }

(** val places_onto :
    int -> bool list -> int list -> place list -> place list option **)

let rec places_onto j columns0 units reversed =
  match columns0 with
  | [] ->
    (match units with
     | [] -> Some (rev_append reversed [])
     | _ :: _ -> None)
  | c :: columns' ->
    (match units with
     | [] ->
       places_onto (Stdlib.Int.succ j) columns' []
         ((if c then Inside else Outside) :: reversed)
     | u :: units' ->
       if (=) u j
       then if c
            then places_onto (Stdlib.Int.succ j) columns' units'
                   (Beside :: reversed)
            else None
       else places_onto (Stdlib.Int.succ j) columns' units
              ((if c then Inside else Outside) :: reversed))

(** val block_of : int -> entry list -> rank_evidence -> block option **)

let block_of n es r =
  match fit (size_of es) r.chosen_rows with
  | Some rows0 ->
    (match fit n r.chosen_columns with
     | Some columns0 ->
       let chosen0 = pick rows0 es in
       (match places_onto 0 columns0 (side_columns chosen0) [] with
        | Some places ->
          if (&&)
               ((&&)
                 ((&&) ((=) (number rows0) r.rank_value)
                   ((=) (number columns0) r.rank_value))
                 ((=) (size_of (general_normals chosen0))
                   (number (tmap is_inside places))))
               (forallb (fun a -> (=) (size_of a) n)
                 (general_normals chosen0))
          then Some { block_size = r.rank_value; block_entries = chosen0;
                 block_places = places }
          else None
        | None -> None)
     | None -> None)
  | None -> None

(** val is_regular : oracle -> Big_int_Z.big_int -> block -> bool **)

let is_regular propose q b =
  let inside = tmap is_inside b.block_places in
  let normals = general_normals b.block_entries in
  let size = number inside in
  let modulo0 = fun q0 ->
    invertible_modulo propose q0 size
      (tmap (fun a -> pick inside (odd_row a)) normals)
  in
  let near = fun attempt ->
    match bound_inverse propose attempt
            (tmap (fun b0 -> if b0 then Inside else Outside) inside) normals
            (zeros size) [] with
    | Some _ -> true
    | None -> false
  in
  if Z.eqb q Big_int_Z.zero_big_int
  then (||)
         ((||) (near 0)
           (modulo0
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
             Big_int_Z.unit_big_int))))))))))))))))))))))))))))))))
         (existsb near (tl attempts))
  else modulo0 q

(** val terms_ok :
    int -> bool list -> entry list -> (int*Big_int_Z.big_int) list ->
    (general_row*Big_int_Z.big_int) list -> (int*Big_int_Z.big_int) list ->
    ((general_row*Big_int_Z.big_int) list*(int*Big_int_Z.big_int) list) option **)

let rec terms_ok next rows0 es ts general_terms side_terms =
  match es with
  | [] ->
    (match ts with
     | [] -> Some (general_terms,side_terms)
     | _ :: _ -> None)
  | e :: es' ->
    (match rows0 with
     | [] ->
       (match ts with
        | [] -> Some (general_terms,side_terms)
        | _ :: _ -> None)
     | b :: rows' ->
       (match ts with
        | [] -> Some (general_terms,side_terms)
        | p :: ts' ->
          let j,c = p in
          if (=) j next
          then if (&&) b (negb (Z.eqb c Big_int_Z.zero_big_int))
               then (match e with
                     | General r ->
                       terms_ok (Stdlib.Int.succ next) rows' es' ts'
                         ((r,c) :: general_terms) side_terms
                     | Side (k, sign) ->
                       terms_ok (Stdlib.Int.succ next) rows' es' ts'
                         general_terms ((k,(Z.mul c sign)) :: side_terms))
               else None
          else terms_ok (Stdlib.Int.succ next) rows' es' ts general_terms
                 side_terms))

(** val unit_at :
    int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list **)

let unit_at n j c =
  repeat_onto Big_int_Z.zero_big_int j
    (c :: (zeros (sub n (Stdlib.Int.succ j))))

(** val relation_holds :
    int -> bool list -> entry list -> int -> entry -> relation -> bool **)

let relation_holds n rows0 es i e rel =
  (&&) ((&&) ((=) rel.related i) (Z.ltb Big_int_Z.zero_big_int rel.factor))
    (match terms_ok 0 rows0 es rel.terms [] [] with
     | Some p ->
       let general_terms,side_terms = p in
       (match e with
        | General r ->
          let general_terms0 = (r,(Z.opp rel.factor)) :: general_terms in
          let rs = tmap fst general_terms0 in
          let low =
            fold_left (fun m r0 -> Z.min m r0.binary) rs
              Big_int_Z.zero_big_int
          in
          let one = Z.shiftl Big_int_Z.unit_big_int (Z.opp low) in
          let sum =
            combination (scale_weights rs (tmap snd general_terms0))
              (tmap (fun g -> g.normal) rs) (zeros n)
          in
          is_zero
            (fold_left (fun acc t ->
              add_scaled (Z.mul one (snd t))
                (unit_at n (fst t) Big_int_Z.unit_big_int) acc) side_terms
              sum)
        | Side (k, sign) ->
          let side_terms0 = (k,(Z.mul (Z.opp rel.factor) sign)) :: side_terms
          in
          let rs = tmap fst general_terms in
          let low =
            fold_left (fun m r -> Z.min m r.binary) rs Big_int_Z.zero_big_int
          in
          let one = Z.shiftl Big_int_Z.unit_big_int (Z.opp low) in
          let sum =
            combination (scale_weights rs (tmap snd general_terms))
              (tmap (fun g -> g.normal) rs) (zeros n)
          in
          is_zero
            (fold_left (fun acc t ->
              add_scaled (Z.mul one (snd t))
                (unit_at n (fst t) Big_int_Z.unit_big_int) acc) side_terms0
              sum))
     | None -> false)

(** val relations_hold :
    int -> bool list -> entry list -> int -> bool list -> entry list ->
    relation list -> bool **)

let rec relations_hold n rows0 all i marks es rels =
  match es with
  | [] -> (match rels with
           | [] -> true
           | _ :: _ -> false)
  | e :: es' ->
    (match marks with
     | [] -> (match rels with
              | [] -> true
              | _ :: _ -> false)
     | b :: marks' ->
       if (||) b (entry_is_zero e)
       then relations_hold n rows0 all (Stdlib.Int.succ i) marks' es' rels
       else (match rels with
             | [] -> false
             | rel :: rels' ->
               (&&) (relation_holds n rows0 all i e rel)
                 (relations_hold n rows0 all (Stdlib.Int.succ i) marks' es'
                   rels')))

(** val null_vectors_ok :
    int -> entry list -> bool list -> int -> int -> Big_int_Z.big_int list
    list -> bool **)

let rec null_vectors_ok n es outside k total = function
| [] -> (=) k total
| v :: vs' ->
  let at_outside = pick outside v in
  let before,from = split_at k at_outside in
  (&&)
    ((&&)
      ((&&) ((&&) ((=) (size_of v) n) (is_zero before))
        (match from with
         | [] -> false
         | own :: after ->
           (&&) (negb (Z.eqb own Big_int_Z.zero_big_int)) (is_zero after)))
      (forallb (fun e -> Z.eqb (entry_dot v e) Big_int_Z.zero_big_int) es))
    (null_vectors_ok n es outside (Stdlib.Int.succ k) total vs')

(** val columns_met : int -> entry list -> bool list **)

let columns_met n es =
  fold_left (fun met e ->
    match e with
    | General r ->
      tmap2 (fun b a -> (||) b (negb (Z.eqb a Big_int_Z.zero_big_int))) met
        r.normal
    | Side (j, _) ->
      tmap2 (fun b a -> (||) b (negb (Z.eqb a Big_int_Z.zero_big_int))) met
        (unit_at n j Big_int_Z.unit_big_int)) es (repeat_onto false n [])

(** val at_most : int -> entry list -> rank_evidence -> bool **)

let at_most n es r =
  match r.bound_above with
  | ByRows ->
    (=) (number (tmap (fun e -> negb (entry_is_zero e)) es)) r.rank_value
  | ByColumns -> (=) (number (columns_met n es)) r.rank_value
  | ByRelations rels ->
    (match fit (size_of es) r.chosen_rows with
     | Some rows0 -> relations_hold n rows0 es 0 rows0 es rels
     | None -> false)
  | ByNullVectors vs ->
    (match fit n r.chosen_columns with
     | Some columns0 ->
       let outside = tmap negb columns0 in
       null_vectors_ok n es outside 0 (number outside) vs
     | None -> false)

(** val check_rank :
    oracle -> int -> entry list -> rank_evidence -> block option **)

let check_rank propose n es r =
  match block_of n es r with
  | Some b ->
    if (&&) (is_regular propose r.modulus b) (at_most n es r)
    then Some b
    else None
  | None -> None

(** val implied :
    bool -> bool -> Big_int_Z.big_int -> Big_int_Z.big_int*Big_int_Z.big_int **)

let implied lower upper sigma =
  if lower
  then if upper
       then Big_int_Z.zero_big_int,Big_int_Z.zero_big_int
       else (Z.max Big_int_Z.zero_big_int sigma),(Z.max
                                                   Big_int_Z.zero_big_int
                                                   (Z.opp sigma))
  else if upper
       then (Z.max Big_int_Z.zero_big_int (Z.opp sigma)),(Z.max
                                                           Big_int_Z.zero_big_int
                                                           sigma)
       else Big_int_Z.zero_big_int,(Z.abs sigma)

(** val implied_multipliers :
    system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
    list **)

let implied_multipliers s sigma =
  tmap2 (fun sides0 v -> implied (fst sides0) (snd sides0) v)
    (tmap2 (fun x x0 -> x,x0) s.lower_sides s.upper_sides) sigma

(** val residual_norm :
    (Big_int_Z.big_int*Big_int_Z.big_int) list -> Big_int_Z.big_int **)

let residual_norm implied0 =
  fold_left (fun sum lv -> Z.add sum (snd lv)) implied0 Big_int_Z.zero_big_int

(** val place_sides :
    bool list -> bool list -> bool list -> place list -> place list option **)

let rec place_sides lower upper marks reversed =
  match lower with
  | [] ->
    (match marks with
     | [] -> Some (rev_append reversed [])
     | _ :: _ -> None)
  | l :: lower' ->
    (match upper with
     | [] ->
       (match marks with
        | [] -> Some (rev_append reversed [])
        | _ :: _ -> None)
     | u :: upper' ->
       if l
       then (match marks with
             | [] ->
               let in_lower = false in
               let marks0 = [] in
               if u
               then (match marks0 with
                     | [] ->
                       let in_upper = false in
                       let marks1 = [] in
                       if (&&) in_lower in_upper
                       then None
                       else place_sides lower' upper' marks1
                              ((if (||) in_lower in_upper
                                then Beside
                                else Inside) :: reversed)
                     | m :: ms ->
                       if (&&) in_lower m
                       then None
                       else place_sides lower' upper' ms
                              ((if (||) in_lower m then Beside else Inside) :: reversed))
               else let in_upper = false in
                    if (&&) in_lower in_upper
                    then None
                    else place_sides lower' upper' marks0
                           ((if (||) in_lower in_upper then Beside else Inside) :: reversed)
             | m :: ms ->
               if u
               then (match ms with
                     | [] ->
                       let in_upper = false in
                       let marks0 = [] in
                       if (&&) m in_upper
                       then None
                       else place_sides lower' upper' marks0
                              ((if (||) m in_upper then Beside else Inside) :: reversed)
                     | m0 :: ms0 ->
                       if (&&) m m0
                       then None
                       else place_sides lower' upper' ms0
                              ((if (||) m m0 then Beside else Inside) :: reversed))
               else let in_upper = false in
                    if (&&) m in_upper
                    then None
                    else place_sides lower' upper' ms
                           ((if (||) m in_upper then Beside else Inside) :: reversed))
       else let in_lower = false in
            if u
            then (match marks with
                  | [] ->
                    let in_upper = false in
                    let marks0 = [] in
                    if (&&) in_lower in_upper
                    then None
                    else place_sides lower' upper' marks0
                           ((if (||) in_lower in_upper then Beside else Inside) :: reversed)
                  | m :: ms ->
                    if (&&) in_lower m
                    then None
                    else place_sides lower' upper' ms
                           ((if (||) in_lower m then Beside else Inside) :: reversed))
            else let in_upper = false in
                 if (&&) in_lower in_upper
                 then None
                 else place_sides lower' upper' marks
                        ((if (||) in_lower in_upper then Beside else Inside) :: reversed))

(** val exceeds :
    inverse_bound -> Big_int_Z.big_int -> (bool*Big_int_Z.big_int) list ->
    (bool*Big_int_Z.big_int) list -> bool **)

let exceeds b norm chosen0 chosen_sides =
  let enough = fun equality_w q ->
    (||) (fst equality_w)
      (Z.ltb (Z.mul norm q) (Z.mul b.gap (snd equality_w)))
  in
  (&&) (forallb (fun x -> x) (tmap2 enough chosen0 b.row_bounds))
    (forallb (fun x -> x) (tmap2 enough chosen_sides b.side_bounds))

(** val can_exceed : (bool*Big_int_Z.big_int) -> bool **)

let can_exceed equality_w =
  (||) (fst equality_w) (Z.ltb Big_int_Z.zero_big_int (snd equality_w))

(** val margin_holds :
    oracle -> system -> bool list -> Big_int_Z.big_int -> Big_int_Z.big_int
    list -> bool **)

let margin_holds propose s selected outside ws =
  let rs = s.general in
  let k = size_of rs in
  (match fit (add k (size_of (sides s))) selected with
   | Some marks ->
     let in_S,sides_in_S = split_at k marks in
     (match place_sides s.lower_sides s.upper_sides sides_in_S [] with
      | Some places ->
        let scaled0 =
          scale_weights rs
            (tmap2 (fun b w -> if b then w else Z.shiftl w outside) in_S ws)
        in
        let normals = tmap (fun g -> g.normal) rs in
        let implied0 =
          implied_multipliers s
            (combination scaled0 normals (zeros s.columns))
        in
        let norm = residual_norm implied0 in
        let chosen0 =
          tmap2 (fun r w -> r.is_equality,w) (pick in_S rs)
            (pick in_S scaled0)
        in
        let beside = tmap is_beside places in
        let chosen_sides =
          tmap2 (fun x x0 -> x,x0)
            (pick beside (tmap2 (&&) s.lower_sides s.upper_sides))
            (pick beside (tmap fst implied0))
        in
        (&&)
          ((&&)
            ((&&)
              ((&&)
                ((&&)
                  ((&&)
                    ((&&)
                      ((&&)
                        ((&&) ((=) (number marks) s.columns)
                          ((=) (size_of s.lower_sides) s.columns))
                        ((=) (size_of s.upper_sides) s.columns))
                      (Z.leb Big_int_Z.zero_big_int outside))
                    (signs_ok rs ws)) (signs_ok rs scaled0))
                (forallb (fun a -> (=) (size_of a) s.columns) normals))
              (forallb can_exceed chosen0)) (forallb can_exceed chosen_sides))
          (some_bound propose attempts places (pick in_S normals)
            (zeros (number in_S)) (zeros (number beside)) (fun b ->
            exceeds b norm chosen0 chosen_sides))
      | None -> false)
   | None -> false)

(** val exact_multipliers :
    system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
    list option **)

let exact_multipliers s ws =
  let scaled0 = scale_weights s.general ws in
  let implied0 =
    implied_multipliers s
      (combination scaled0 (tmap (fun g -> g.normal) s.general)
        (zeros s.columns))
  in
  if (&&)
       ((&&)
         ((&&)
           ((&&) ((&&) (signs_ok s.general ws) (signs_ok s.general scaled0))
             ((=) (size_of s.lower_sides) s.columns))
           ((=) (size_of s.upper_sides) s.columns))
         (forallb (fun r -> (=) (size_of r.normal) s.columns) s.general))
       (Z.eqb (residual_norm implied0) Big_int_Z.zero_big_int)
  then Some implied0
  else None

(** val fixed_columns : system -> bool list **)

let fixed_columns s =
  tmap2 (&&) s.lower_sides s.upper_sides

(** val positive0 :
    (Big_int_Z.big_int*Big_int_Z.big_int) list -> bool list **)

let positive0 implied0 =
  tmap (fun lv -> Z.ltb Big_int_Z.zero_big_int (fst lv)) implied0

(** val entries_of : system -> entry list **)

let entries_of s =
  tapp (tmap (fun x -> General x) s.general) (sides s)

(** val support :
    system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
    list -> entry list **)

let support s ws implied0 =
  let general_marks =
    tmap2 (fun r w ->
      (||) r.is_equality (negb (Z.eqb w Big_int_Z.zero_big_int))) s.general ws
  in
  let lower_marks = tmap2 (||) (fixed_columns s) (positive0 implied0) in
  let upper_marks =
    tmap2 (fun fixed p -> (&&) (negb fixed) p) (fixed_columns s)
      (positive0 implied0)
  in
  pick (tapp general_marks (side_marks s lower_marks upper_marks))
    (entries_of s)

(** val check_trivial : oracle -> system -> evidence -> bool **)

let check_trivial propose s = function
| TrivialMargin (selected, outside, ws) ->
  margin_holds propose s selected outside ws
| TrivialExact (ws, r) ->
  (match exact_multipliers s ws with
   | Some implied0 ->
     (&&)
       ((&&) ((=) r.rank_value s.columns)
         (match r.bound_above with
          | ByColumns -> true
          | _ -> false))
       (match check_rank propose s.columns (support s ws implied0) r with
        | Some _ -> true
        | None -> false)
   | None -> false)
| _ -> false

(** val reach : bool list -> entry -> Big_int_Z.big_int **)

let reach covered = function
| General r -> sum_abs (pick covered r.normal)
| Side (j, _) ->
  if nth j covered false
  then Big_int_Z.unit_big_int
  else Big_int_Z.zero_big_int

(** val general_rho :
    Big_int_Z.big_int list -> entry list -> Big_int_Z.big_int list **)

let general_rho d es =
  tmap (fun a -> Z.abs (dot a d)) (general_normals es)

(** val side_rho :
    Big_int_Z.big_int list -> entry list -> Big_int_Z.big_int list **)

let side_rho d es =
  tmap (fun j -> Z.abs (entry_at d j)) (side_columns es)

(** val check_ray :
    oracle -> int -> entry list -> entry list -> block -> evidence -> bool **)

let check_ray propose n equalities strict b = function
| RayMargin d ->
  (&&)
    ((&&) ((=) (size_of d) n)
      (match strict with
       | [] -> negb ((=) b.block_size n)
       | _ :: _ -> true))
    (let covered =
       tmap (fun p -> (||) (is_inside p) (is_beside p)) b.block_places
     in
     some_bound propose attempts b.block_places
       (general_normals b.block_entries) (general_rho d b.block_entries)
       (side_rho d b.block_entries) (fun bound ->
       forallb (fun e0 ->
         Z.ltb
           (Z.add (Z.mul bound.gap (entry_dot d e0))
             (Z.mul bound.correction (reach covered e0)))
           Big_int_Z.zero_big_int) strict))
| RayExact d ->
  (&&)
    ((&&) ((&&) ((=) (size_of d) n) (negb (is_zero d)))
      (forallb (fun e0 -> Z.eqb (entry_dot d e0) Big_int_Z.zero_big_int)
        equalities))
    (forallb (fun e0 -> Z.ltb (entry_dot d e0) Big_int_Z.zero_big_int) strict)
| _ -> false

(** val check_singleton :
    oracle -> layer -> domain -> point -> point -> int -> evidence list ->
    bool **)

let check_singleton propose l k x z0 rank = function
| [] -> (=) rank l.inputs
| e :: l0 ->
  (match l0 with
   | [] ->
     (&&) (negb ((=) rank l.inputs))
       (check_trivial propose (tight_system l k x z0) e)
   | _ :: _ -> false)

(** val upward : entry -> entry **)

let upward e = match e with
| General _ -> e
| Side (j, _) -> Side (j, Big_int_Z.unit_big_int)

(** val check_dimension :
    oracle -> layer -> domain -> point -> point -> block -> int -> evidence
    list -> evidence list option **)

let check_dimension propose l k x z0 b dimension rest =
  let n = l.inputs in
  let s = tight_system l k x z0 in
  let all = entries_of s in
  let equality_marks =
    tapp (tmap (fun g -> g.is_equality) s.general)
      (tmap (fun _ -> false) (sides s))
  in
  let has_dimension = fun rank rest0 ->
    if (=) (add dimension rank) n then Some rest0 else None
  in
  if forallb (fun m -> m) equality_marks
  then has_dimension b.block_size rest
  else (match rest with
        | [] -> None
        | e :: rest0 ->
          (match e with
           | Tight mask ->
             (match fit (size_of all) mask with
              | Some implicit ->
                let zero_marks = tmap2 (||) equality_marks implicit in
                let equalities = tmap upward (pick zero_marks all) in
                let strict = pick (tmap negb zero_marks) all in
                if forallb negb (tmap2 (&&) equality_marks implicit)
                then let after_ray = fun b0 rest1 ->
                       match strict with
                       | [] -> has_dimension b0.block_size rest1
                       | _ :: _ ->
                         (match rest1 with
                          | [] -> None
                          | e0 :: rest2 ->
                            if check_ray propose n equalities strict b0 e0
                            then has_dimension b0.block_size rest2
                            else None)
                     in
                     if forallb negb implicit
                     then after_ray b rest0
                     else (match rest0 with
                           | [] -> None
                           | e0 :: rest1 ->
                             (match e0 with
                              | Implicit (ws, r) ->
                                (match exact_multipliers s ws with
                                 | Some implied0 ->
                                   let general_marks =
                                     tmap2 (fun r0 w ->
                                       (&&) (negb r0.is_equality)
                                         (negb
                                           (Z.eqb w Big_int_Z.zero_big_int)))
                                       s.general ws
                                   in
                                   let lower_marks =
                                     tmap2 (||) (fixed_columns s)
                                       (positive0 implied0)
                                   in
                                   let due =
                                     tapp general_marks
                                       (side_marks s lower_marks lower_marks)
                                   in
                                   if forallb (fun m -> m)
                                        (tmap2 eqb due implicit)
                                   then (match check_rank propose n
                                                 equalities r with
                                         | Some b0 -> after_ray b0 rest1
                                         | None -> None)
                                   else None
                                 | None -> None)
                              | _ -> None))
                else None
              | None -> None)
           | _ -> None))

(** val check_boundedness :
    oracle -> layer -> domain -> point -> block -> cardinality -> evidence
    list -> bool **)

let check_boundedness propose l k z0 b size rest =
  let s = recession_system l k z0 in
  let entries = entries_of s in
  let equality_marks =
    tapp (tmap (fun g -> g.is_equality) s.general)
      (tmap (fun _ -> false) (sides s))
  in
  (match size with
   | Singleton -> false
   | Bounded ->
     (match rest with
      | [] -> (match k with
               | Box (_, _) -> true
               | _ -> false)
      | e :: l0 ->
        (match l0 with
         | [] ->
           (&&) (match k with
                 | Box (_, _) -> false
                 | _ -> true) (check_trivial propose s e)
         | _ :: _ -> false))
   | Unbounded ->
     (match rest with
      | [] -> false
      | e :: l0 ->
        (match e with
         | Recession d ->
           (match l0 with
            | [] ->
              (&&)
                ((&&)
                  ((&&) (point_ok s.columns d) (negb (is_zero d.numerators)))
                  (forallb (fun e0 ->
                    Z.eqb (entry_dot d.numerators e0) Big_int_Z.zero_big_int)
                    (pick equality_marks entries)))
                (forallb (fun e0 ->
                  Z.leb (entry_dot d.numerators e0) Big_int_Z.zero_big_int)
                  (pick (tmap negb equality_marks) entries))
            | _ :: _ -> false)
         | _ ->
           (match l0 with
            | [] ->
              check_ray propose s.columns (pick equality_marks entries)
                (pick (tmap negb equality_marks) entries) b e
            | _ :: _ -> false)))
   | Infinite -> (match rest with
                  | [] -> true
                  | _ :: _ -> false))

(** val infimum :
    domain -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
    option **)

let infimum k sigma =
  match k with
  | Orthant ->
    if forallb (Z.leb Big_int_Z.zero_big_int) sigma
    then Some (Big_int_Z.zero_big_int,Big_int_Z.unit_big_int)
    else None
  | Box (lower, upper) ->
    let low = dot (tmap (Z.max Big_int_Z.zero_big_int) sigma) lower.numerators
    in
    let high =
      dot (tmap (Z.min Big_int_Z.zero_big_int) sigma) upper.numerators
    in
    Some
    ((Z.add (Z.mul low upper.denominator) (Z.mul high lower.denominator)),
    (Z.mul lower.denominator upper.denominator))
  | _ ->
    if is_zero sigma
    then Some (Big_int_Z.zero_big_int,Big_int_Z.unit_big_int)
    else None

(** val farkas_holds :
    layer -> domain -> point -> Big_int_Z.big_int list -> bool **)

let farkas_holds l k y ws =
  let polytope =
    match k with
    | AllSpace -> []
    | Orthant -> []
    | Box (_, _) -> []
    | Polytope sides0 -> sides0
  in
  let layer_ws,side_ws = split_at (size_of l.rows) ws in
  let low = lowest_exponent l.rows in
  let one = Z.shiftl Big_int_Z.unit_big_int (Z.opp low) in
  let y0 = y.denominator in
  let scaled0 =
    tmap2 (fun r w -> Z.shiftl w (Z.sub r.exponent low)) l.rows layer_ws
  in
  let scaled_sides = tmap (Z.mul one) side_ws in
  let sigma =
    combination scaled_sides (tmap snd polytope)
      (combination scaled0 (tmap (fun r -> r.coefficients) l.rows)
        (zeros l.inputs))
  in
  let constants =
    Z.sub
      (Z.mul
        (Z.add (dot scaled0 (tmap (fun r -> r.constant) l.rows))
          (dot scaled_sides (tmap fst polytope))) y0)
      (Z.mul one (dot layer_ws y.numerators))
  in
  (&&)
    ((&&)
      ((&&)
        ((&&) ((=) (size_of layer_ws) (size_of l.rows))
          ((=) (size_of side_ws) (size_of polytope)))
        (forallb (fun b -> b)
          (tmap2 (fun w vb ->
            (||)
              (negb ((&&) (snd vb) (Z.eqb (fst vb) Big_int_Z.zero_big_int)))
              (Z.leb Big_int_Z.zero_big_int w)) layer_ws
            (tmap2 (fun x x0 -> x,x0) y.numerators l.rectified))))
      (forallb (Z.leb Big_int_Z.zero_big_int) side_ws))
    (match infimum k sigma with
     | Some p ->
       let numerator,denominator0 = p in
       Z.ltb Big_int_Z.zero_big_int
         (Z.add (Z.mul numerator y0) (Z.mul constants denominator0))
     | None -> false)

(** val check_empty :
    oracle -> layer -> domain -> point -> evidence -> bool **)

let check_empty propose l k y = function
| NegativeOutput i ->
  (match nth_error y.numerators i with
   | Some v ->
     (match nth_error l.rectified i with
      | Some marked -> (&&) marked (Z.ltb v Big_int_Z.zero_big_int)
      | None -> false)
   | None -> false)
| FarkasMultipliers ws -> farkas_holds l k y ws
| EmptyMargin (selected, outside, ws) ->
  margin_holds propose (homogenised_system l k y) selected outside ws
| _ -> false

(** val value_through : layer list -> point -> point **)

let value_through ls p =
  fold_left (fun p0 l -> layer_value l p0) ls p

(** val split_layers : network -> int -> (layer list*layer) option **)

let split_layers net scope =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> None)
    (fun before ->
    let ls,l0 = split_at before net.layers in
    (match l0 with
     | [] -> None
     | l :: _ -> if (=) (size_of ls) before then Some (ls,l) else None))
    scope

(** val subject_values :
    network -> layer list -> layer -> subject -> ((point*point) option*point)
    option **)

let subject_values net before l s =
  let of_input = fun x ->
    let z0 = row_values l x in Some ((Some (x,z0)),(rectify l z0))
  in
  (match s with
   | NetworkInput p ->
     if point_ok net.network_inputs p
     then of_input (value_through before p)
     else None
   | LayerInput x -> if point_ok l.inputs x then of_input x else None
   | LayerOutput y ->
     if point_ok (size_of l.rows) y then Some (None,y) else None)

(** val base_point :
    layer -> domain -> point -> (point*point) option -> evidence list ->
    ((point*point)*evidence list) option **)

let base_point l k y given0 rest =
  let solved =
    match rest with
    | [] -> None
    | e :: rest' ->
      (match e with
       | Solution x ->
         let z0 = row_values l x in
         if (&&) ((&&) (point_ok l.inputs x) (contains k x))
              (same_point (rectify l z0) y)
         then Some ((x,z0),rest')
         else None
       | _ -> None)
  in
  (match given0 with
   | Some p ->
     let x,z0 = p in if contains k x then Some ((x,z0),rest) else solved
   | None -> solved)

(** val check_preimage :
    oracle -> layer -> domain -> point -> (point*point) option -> cardinality
    -> int -> int -> int -> evidence list -> bool **)

let check_preimage propose l k y given0 size dimension rank active rest =
  match base_point l k y given0 rest with
  | Some p ->
    let p0,l0 = p in
    let x,z0 = p0 in
    (match l0 with
     | [] -> false
     | e :: rest0 ->
       (match e with
        | RankOf r ->
          (match check_rank propose l.inputs
                   (tmap (fun x0 -> General x0) (active_rows l z0)) r with
           | Some b ->
             (&&)
               ((&&) ((=) r.rank_value rank)
                 ((=)
                   (number (tmap (Z.ltb Big_int_Z.zero_big_int) y.numerators))
                   active))
               (match size with
                | Singleton ->
                  (&&) ((=) dimension 0)
                    (check_singleton propose l k x z0 rank rest0)
                | _ ->
                  (&&) (negb ((=) dimension 0))
                    (match check_dimension propose l k x z0 b dimension rest0 with
                     | Some rest1 ->
                       check_boundedness propose l k z0 b size rest1
                     | None -> false))
           | None -> false)
        | _ -> false))
  | None -> false

(** val check_layer : oracle -> network -> certificate -> bool **)

let check_layer propose net c =
  match split_layers net c.scope_layer with
  | Some p ->
    let before,l = p in
    (&&) (domain_ok l.inputs c.on)
      (match subject_values net before l c.about with
       | Some p0 ->
         let given0,y = p0 in
         (match c.claimed with
          | Empty ->
            (match c.proved_by with
             | [] -> false
             | e :: l0 ->
               (match l0 with
                | [] -> check_empty propose l c.on y e
                | _ :: _ -> false))
          | Preimage (size, dimension, rank, active) ->
            check_preimage propose l c.on y given0 size dimension rank active
              c.proved_by)
       | None -> false)
  | None -> false

(** val check : oracle -> network -> certificate -> bool **)

let check propose net c =
  (&&) (network_ok net) (check_layer propose net c)

type region_tree =
| Cut of bool list list * int * bool list * region_tree * region_tree
| Region of bool list list

type form = Big_int_Z.big_int list

type layer_in_cell = { decided : bool list; unit_of : Big_int_Z.big_int;
                       forms : (form*bool) list; signs : bool option list;
                       later : layer list }

(** val follows :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> form list list -> form -> bool **)

let follows propose cones f =
  let i,p = propose cones f in
  let d,ms = p in
  (match nth_error cones i with
   | Some rows0 ->
     (&&)
       ((&&) (Z.ltb Big_int_Z.zero_big_int d)
         (forallb (fun m -> Z.leb Big_int_Z.zero_big_int m) ms))
       (match combination (tmap Z.opp ms) rows0 (tmap (Z.mul d) f) with
        | [] -> true
        | c :: slope -> (&&) (Z.leb Big_int_Z.zero_big_int c) (is_zero slope))
   | None -> false)

(** val opposite : form -> form **)

let opposite f =
  tmap Z.opp f

(** val settle :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> form list list -> (form*bool) -> bool option -> bool option **)

let settle propose cones v known = match known with
| Some _ -> known
| None ->
  if snd v
  then if is_zero (fst v)
       then Some false
       else if follows propose cones (fst v)
            then Some true
            else if follows propose cones (opposite (fst v))
                 then Some false
                 else None
  else None

(** val is_known : (form*bool) -> bool option -> bool **)

let is_known v = function
| Some _ -> true
| None -> negb (snd v)

(** val all_known : layer_in_cell -> bool **)

let all_known s =
  forallb (fun b -> b) (tmap2 is_known s.forms s.signs)

(** val is_on : bool option -> bool **)

let is_on = function
| Some b -> b
| None -> false

(** val pattern_of : layer_in_cell -> bool list **)

let pattern_of s =
  tmap is_on (pick (tmap snd s.forms) s.signs)

(** val given : (form*bool) -> bool option -> form **)

let given v known =
  if snd v
  then if is_on known
       then fst v
       else tmap (fun _ -> Big_int_Z.zero_big_int) (fst v)
  else fst v

(** val given_forms : layer_in_cell -> form list **)

let given_forms s =
  tmap2 given s.forms s.signs

(** val next_form :
    int -> Big_int_Z.big_int -> Big_int_Z.big_int -> form list -> row -> form **)

let next_form n low unit0 inputs0 r =
  tmap (fun c -> Z.shiftl c (Z.sub r.exponent low))
    (combination r.coefficients inputs0
      ((Z.mul r.constant unit0) :: (zeros n)))

(** val enter :
    int -> layer_in_cell -> layer -> layer list -> layer_in_cell **)

let enter n s l ls =
  let low = lowest_exponent l.rows in
  let inputs0 = given_forms s in
  { decided = (tapp s.decided (pattern_of s)); unit_of =
  (Z.shiftl s.unit_of (Z.opp low)); forms =
  (tmap2 (fun x x0 -> x,x0) (tmap (next_form n low s.unit_of inputs0) l.rows)
    l.rectified); signs = (tmap (fun _ -> None) l.rectified); later = ls }

(** val settled :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> form list list -> layer_in_cell -> layer_in_cell **)

let settled propose cones s =
  { decided = s.decided; unit_of = s.unit_of; forms = s.forms; signs =
    (tmap2 (settle propose cones) s.forms s.signs); later = s.later }

(** val advance :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> int -> form list list -> form list list -> layer list ->
    layer_in_cell -> layer_in_cell **)

let rec advance propose n new0 all ls s =
  let s0 = settled propose new0 s in
  (match ls with
   | [] -> s0
   | l :: ls' ->
     if all_known s0
     then advance propose n all all ls' (enter n s0 l ls')
     else s0)

(** val cones_of : form list -> bool list list -> form list list **)

let cones_of rows0 marks =
  tmap (fun m -> pick m rows0) marks

(** val settled_in :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> int -> form list -> bool list list -> bool list list ->
    layer_in_cell -> layer_in_cell **)

let settled_in propose n rows0 new0 inherited s =
  let cones = cones_of rows0 new0 in
  advance propose n cones (tapp cones (cones_of rows0 inherited)) s.later s

(** val passed_on : bool list -> bool list list -> bool list list **)

let passed_on kept cones =
  tmap (fun marks -> false :: (pick kept marks))
    (filter (fun marks -> forallb (fun b -> b) (tmap2 implb marks kept))
      cones)

(** val is_settled : layer_in_cell -> bool **)

let is_settled s =
  (&&) (all_known s) (match s.later with
                      | [] -> true
                      | _ :: _ -> false)

(** val put : int -> bool -> bool option list -> bool option list **)

let rec put j b = function
| [] -> []
| k :: known' ->
  ((fun fO fS n -> if n=0 then fO () else fS (n-1))
     (fun _ -> (Some b) :: known')
     (fun j' -> k :: (put j' b known'))
     j)

(** val with_sign : int -> bool -> layer_in_cell -> layer_in_cell **)

let with_sign j b s =
  { decided = s.decided; unit_of = s.unit_of; forms = s.forms; signs =
    (put j b s.signs); later = s.later }

(** val place_from : int -> (form*bool) list -> int -> int **)

let rec place_from place0 vs j =
  match vs with
  | [] -> place0
  | p :: vs' ->
    let _,b = p in
    if b
    then ((fun fO fS n -> if n=0 then fO () else fS (n-1))
            (fun _ -> place0)
            (fun j' -> place_from (Stdlib.Int.succ place0) vs' j')
            j)
    else place_from (Stdlib.Int.succ place0) vs' j

(** val neuron_of : layer_in_cell -> int -> (int*form) option **)

let neuron_of s j =
  let place0 = place_from 0 s.forms j in
  (match nth_error s.forms place0 with
   | Some p -> let f,b = p in if b then Some (place0,f) else None
   | None -> None)

(** val coordinate : int -> int -> form **)

let coordinate n j =
  repeat_onto Big_int_Z.zero_big_int (Stdlib.Int.succ j)
    (Big_int_Z.unit_big_int :: (zeros (sub n (Stdlib.Int.succ j))))

(** val first_layer : int -> layer list -> layer_in_cell **)

let first_layer n ls =
  { decided = []; unit_of = Big_int_Z.unit_big_int; forms =
    (tmap (fun j -> (coordinate n j),false) (seq 0 n)); signs =
    (repeat_onto None n []); later = ls }

(** val domain_rows : int -> domain -> form list **)

let domain_rows n = function
| AllSpace -> []
| Orthant -> tmap (coordinate n) (seq 0 n)
| Box (lower, upper) ->
  concat
    (tmap (fun j ->
      ((Z.opp (nth j lower.numerators Big_int_Z.zero_big_int)) :: (tmap
                                                                    (Z.mul
                                                                    lower.denominator)
                                                                    (tl
                                                                    (coordinate
                                                                    n j)))) :: ((
      (nth j upper.numerators Big_int_Z.zero_big_int) :: (tmap
                                                           (Z.mul
                                                             (Z.opp
                                                               upper.denominator))
                                                           (tl
                                                             (coordinate n j)))) :: []))
      (seq 0 n))
| Polytope sides0 -> tmap (fun s -> opposite ((fst s) :: (snd s))) sides0

(** val is_constant : form -> bool **)

let is_constant f =
  is_zero (tl f)

(** val first_rows : int -> domain -> form list **)

let first_rows n k =
  filter (fun f -> negb (is_constant f)) (rev (domain_rows n k))

type case_signs = bool option list list

type case_row = { is_zero_there : bool; case_form : form }

(** val is_free : bool -> bool option -> bool **)

let is_free marked known =
  (&&) marked (match known with
               | Some _ -> false
               | None -> true)

(** val free_neurons : layer list -> case_signs -> int -> int **)

let rec free_neurons ls signs0 count =
  match ls with
  | [] -> count
  | l :: ls' ->
    (match signs0 with
     | [] -> count
     | known :: signs' ->
       free_neurons ls' signs'
         (number_from count (tmap2 is_free l.rectified known)))

(** val through_neurons :
    int -> Big_int_Z.big_int -> (form*bool) list -> bool option list -> int
    -> form list -> form list -> (int*form list)*form list **)

let rec through_neurons columns0 unit0 z0 known column reversed given0 =
  match z0 with
  | [] -> (column,reversed),(rev_append given0 [])
  | p :: z' ->
    let f,marked = p in
    (match known with
     | [] -> (column,reversed),(rev_append given0 [])
     | sign :: known' ->
       if marked
       then (match sign with
             | Some b ->
               if b
               then through_neurons columns0 unit0 z' known' column
                      ((opposite f) :: reversed) (f :: given0)
               else through_neurons columns0 unit0 z' known' column
                      (f :: reversed)
                      ((zeros (Stdlib.Int.succ columns0)) :: given0)
             | None ->
               let h = tmap (Z.mul unit0) (coordinate columns0 column) in
               through_neurons columns0 unit0 z' known' (Stdlib.Int.succ
                 column)
                 ((add_scaled (Big_int_Z.minus_big_int
                    Big_int_Z.unit_big_int) h f) :: ((opposite h) :: reversed))
                 (h :: given0))
       else through_neurons columns0 unit0 z' known' column reversed
              (f :: given0))

(** val unit_after : layer -> Big_int_Z.big_int -> Big_int_Z.big_int **)

let unit_after l unit0 =
  Z.shiftl unit0 (Z.opp (lowest_exponent l.rows))

(** val forms_after :
    int -> layer -> Big_int_Z.big_int -> form list -> form list **)

let forms_after columns0 l unit0 given0 =
  tmap (next_form columns0 (lowest_exponent l.rows) unit0 given0) l.rows

(** val through_layers :
    int -> layer list -> case_signs -> Big_int_Z.big_int -> form list -> int
    -> form list -> (Big_int_Z.big_int*form list)*form list **)

let rec through_layers columns0 ls signs0 unit0 given0 column reversed =
  match ls with
  | [] -> (unit0,given0),reversed
  | l :: ls' ->
    (match signs0 with
     | [] -> (unit0,given0),reversed
     | known :: signs' ->
       let p,next =
         through_neurons columns0 (unit_after l unit0)
           (tmap2 (fun x x0 -> x,x0) (forms_after columns0 l unit0 given0)
             l.rectified) known column reversed []
       in
       let column0,reversed0 = p in
       through_layers columns0 ls' signs' (unit_after l unit0) next column0
         reversed0)

(** val output_rows :
    int -> layer -> Big_int_Z.big_int -> form list -> point -> case_row list **)

let output_rows columns0 l unit0 given0 y =
  tmap2 (fun f vb -> { is_zero_there = (in_P (snd vb) (fst vb)); case_form =
    (add_scaled (Z.opp (Z.mul (fst vb) (unit_after l unit0)))
      (Big_int_Z.unit_big_int :: []) (tmap (Z.mul y.denominator) f)) })
    (forms_after columns0 l unit0 given0)
    (tmap2 (fun x x0 -> x,x0) y.numerators l.rectified)

(** val case_rows :
    int -> layer list -> layer -> int -> domain -> point -> case_signs ->
    case_row list **)

let case_rows columns0 before l n k y signs0 =
  let p,reversed =
    through_layers columns0 before signs0 Big_int_Z.unit_big_int
      (tmap (coordinate columns0) (seq 0 n)) n []
  in
  let unit0,given0 = p in
  let of_domain =
    tmap (fun f -> tapp (opposite f) (zeros (sub columns0 n)))
      (domain_rows n k)
  in
  tapp
    (rev_append
      (tmap (fun x -> { is_zero_there = false; case_form = x }) reversed) [])
    (tapp (output_rows columns0 l unit0 given0 y)
      (tmap (fun x -> { is_zero_there = false; case_form = x }) of_domain))

(** val read_columns :
    int -> Big_int_Z.big_int list list -> bool list -> bool list **)

let rec read_columns count rows0 marks =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> marks)
    (fun count' ->
    let unread =
      tmap (fun r ->
        Z.eqb (hd Big_int_Z.zero_big_int r) Big_int_Z.zero_big_int) rows0
    in
    if (<=) (number (tmap negb unread)) (Stdlib.Int.succ (Stdlib.Int.succ 0))
    then read_columns count' (tmap tl (pick unread rows0)) (false :: marks)
    else read_columns count' (tmap tl rows0) (true :: marks))
    count

(** val layer_row :
    (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> bool list -> form -> row **)

let layer_row reduce marks f =
  let a = (hd Big_int_Z.zero_big_int f) :: (pick marks (tl f)) in
  let p,e = reduce a in
  let g,q = p in
  if (&&)
       ((&&) (Z.ltb Big_int_Z.zero_big_int g) ((=) (size_of q) (size_of a)))
       (forallb (fun b -> b) (tmap2 (fun u v -> Z.eqb u (Z.mul g v)) a q))
  then { exponent = e; constant = (hd Big_int_Z.zero_big_int q);
         coefficients = (tl q) }
  else { exponent = Big_int_Z.zero_big_int; constant =
         (hd Big_int_Z.zero_big_int a); coefficients = (tl a) }

(** val layer_of_rows :
    (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> bool list -> case_row list -> layer **)

let layer_of_rows reduce marks rows0 =
  let others = tmap negb marks in
  let kept =
    pick (tmap (fun r -> is_zero (pick others (tl r.case_form))) rows0) rows0
  in
  { inputs = (number marks); rows =
  (tmap (fun r -> layer_row reduce marks r.case_form) kept); rectified =
  (tmap (fun r -> negb r.is_zero_there) kept) }

(** val case_layer :
    (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> layer list -> layer -> int -> domain -> point
    -> case_signs -> layer **)

let case_layer reduce before l n k y signs0 =
  let free = free_neurons before signs0 0 in
  let rows0 = case_rows (add n free) before l n k y signs0 in
  layer_of_rows reduce
    (repeat_onto true n
      (read_columns free (tmap (fun r -> rev_append r.case_form []) rows0) []))
    rows0

(** val leaf_point :
    oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
    -> case_signs -> claim -> evidence list -> point option option **)

let leaf_point propose reduce n before l k y signs0 c evidences =
  let leaf = case_layer reduce before l n k y signs0 in
  let zero0 = { denominator = Big_int_Z.unit_big_int; numerators =
    (zeros (size_of leaf.rows)) }
  in
  if check propose { network_inputs = leaf.inputs; layers = (leaf :: []) }
       { scope_layer = (Stdlib.Int.succ 0); on = AllSpace; about =
       (LayerOutput zero0); claimed = c; proved_by = evidences }
  then (match c with
        | Empty -> Some None
        | Preimage (size, _, _, _) ->
          (match size with
           | Singleton ->
             (match evidences with
              | [] -> None
              | e :: _ ->
                (match e with
                 | Solution p ->
                   Some (Some { denominator = p.denominator; numerators =
                     (fst (split_at n p.numerators)) })
                 | _ -> None))
           | _ -> None))
  else None

(** val replace : int -> 'a1 -> 'a1 list -> 'a1 list **)

let replace i a s =
  let s1,l0 = split_at i s in
  (match l0 with
   | [] -> s
   | _ :: s2 -> tapp s1 (a :: s2))

(** val has_no_sign : layer list -> int -> int -> case_signs -> bool **)

let has_no_sign before k j signs0 =
  match nth_error before k with
  | Some l ->
    (match nth_error signs0 k with
     | Some known ->
       (match nth_error l.rectified j with
        | Some b ->
          if b
          then (match nth_error known j with
                | Some o -> (match o with
                             | Some _ -> false
                             | None -> true)
                | None -> false)
          else false
        | None -> false)
     | None -> false)
  | None -> false

(** val with_case_sign : int -> int -> bool -> case_signs -> case_signs **)

let with_case_sign k j b signs0 =
  replace k (replace j (Some b) (nth k signs0 [])) signs0

(** val held :
    oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
    -> case_tree -> case_signs -> point list -> point list option **)

let rec held propose reduce n before l k y t signs0 points =
  match t with
  | Divide (divided_layer, j, inactive, active) ->
    ((fun fO fS n -> if n=0 then fO () else fS (n-1))
       (fun _ -> None)
       (fun k0 ->
       if has_no_sign before k0 j signs0
       then (match held propose reduce n before l k y inactive
                     (with_case_sign k0 j false signs0) points with
             | Some points0 ->
               held propose reduce n before l k y active
                 (with_case_sign k0 j true signs0) points0
             | None -> None)
       else None)
       divided_layer)
  | Leaf (c, evidences) ->
    (match leaf_point propose reduce n before l k y signs0 c evidences with
     | Some o ->
       (match o with
        | Some p ->
          if (&&)
               ((&&) ((&&) (point_ok n p) (contains k p))
                 (same_point (value_through (tapp before (l :: [])) p) y))
               (negb (existsb (same_point p) points))
          then Some (p :: points)
          else Some points
        | None -> Some points)
     | None -> None)

(** val cases_ok :
    oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
    -> int -> case_tree -> bool **)

let cases_ok propose reduce n before l k y k0 t =
  (&&)
    (forallb (fun b -> b)
      (tmap2 (fun v marked ->
        (||) (negb marked) (Z.leb Big_int_Z.zero_big_int v)) y.numerators
        l.rectified))
    (match held propose reduce n before l k y t
             (tmap (fun l0 -> tmap (fun _ -> None) l0.rectified) before) [] with
     | Some points -> (=) (size_of points) k0
     | None -> false)

(** val same_side : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

let same_side v w =
  (||)
    ((&&) (Z.leb Big_int_Z.zero_big_int v) (Z.leb Big_int_Z.zero_big_int w))
    ((&&) (Z.leb v Big_int_Z.zero_big_int) (Z.leb w Big_int_Z.zero_big_int))

(** val value_beside : layer list -> point -> point -> point option **)

let rec value_beside ls p q =
  match ls with
  | [] -> Some q
  | l :: ls' ->
    let z0 = row_values l p in
    let w = row_values l q in
    if forallb (fun b -> b)
         (tmap2 (fun vw b -> (||) (negb b) (same_side (fst vw) (snd vw)))
           (tmap2 (fun x x0 -> x,x0) z0.numerators w.numerators) l.rectified)
    then value_beside ls' (rectify l z0) (rectify l w)
    else None

(** val keeps_sign : Big_int_Z.big_int -> Big_int_Z.big_int -> bool **)

let keeps_sign v u =
  if Z.ltb Big_int_Z.zero_big_int v
  then Z.leb Big_int_Z.zero_big_int u
  else (||) (Z.leb Big_int_Z.zero_big_int v) (Z.leb u Big_int_Z.zero_big_int)

(** val rectified_change :
    Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int **)

let rectified_change v u =
  if Z.ltb Big_int_Z.zero_big_int v
  then u
  else if Z.ltb v Big_int_Z.zero_big_int
       then Big_int_Z.zero_big_int
       else Z.max Big_int_Z.zero_big_int u

(** val linear_part : layer -> layer **)

let linear_part l =
  { inputs = l.inputs; rows =
    (tmap (fun r -> { exponent = r.exponent; constant =
      Big_int_Z.zero_big_int; coefficients = r.coefficients }) l.rows);
    rectified = l.rectified }

(** val change_along : layer list -> point -> point -> point option **)

let rec change_along ls p d =
  match ls with
  | [] -> Some d
  | l :: ls' ->
    let z0 = row_values l p in
    let u = row_values (linear_part l) d in
    let both = tmap2 (fun x x0 -> x,x0) z0.numerators u.numerators in
    if forallb (fun b -> b)
         (tmap2 (fun vu b -> (||) (negb b) (keeps_sign (fst vu) (snd vu)))
           both l.rectified)
    then change_along ls' (rectify l z0) { denominator = u.denominator;
           numerators =
           (tmap2 (fun vu b ->
             if b then rectified_change (fst vu) (snd vu) else snd vu) both
             l.rectified) }
    else None

(** val domain_contains_direction : domain -> point -> bool **)

let domain_contains_direction k d =
  match k with
  | AllSpace -> true
  | Orthant -> forallb (Z.leb Big_int_Z.zero_big_int) d.numerators
  | Box (_, _) -> false
  | Polytope sides0 ->
    forallb (fun s ->
      Z.leb (dot (snd s) d.numerators) Big_int_Z.zero_big_int) sides0

type stage = { stage_layer : int; stage_domain : domain;
               stage_input : point option }

(** val stages_onto :
    int -> domain -> point option -> layer list -> stage list -> stage list **)

let rec stages_onto k k0 x ls reversed =
  match ls with
  | [] -> reversed
  | l :: ls' ->
    stages_onto (Stdlib.Int.succ k)
      (if forallb (fun b -> b) l.rectified then Orthant else AllSpace)
      (option_map (layer_value l) x) ls' ({ stage_layer = k; stage_domain =
      k0; stage_input = x } :: reversed)

(** val part_certificate : domain -> subject -> part -> certificate **)

let part_certificate k about0 p =
  { scope_layer = p.part_layer; on = k; about = about0; claimed =
    p.part_claim; proved_by = p.part_proved_by }

(** val parts_ok :
    oracle -> network -> bool -> stage list -> point -> part list -> bool **)

let rec parts_ok propose net is_empty stages y parts =
  match stages with
  | [] -> (match parts with
           | [] -> negb is_empty
           | _ :: _ -> false)
  | s :: stages' ->
    (match parts with
     | [] -> false
     | p :: parts' ->
       let about0 =
         match s.stage_input with
         | Some x -> LayerInput x
         | None -> LayerOutput y
       in
       let input =
         match p.part_proved_by with
         | [] -> s.stage_input
         | e :: _ -> (match e with
                      | Solution x -> Some x
                      | _ -> s.stage_input)
       in
       (&&)
         ((&&) ((=) p.part_layer s.stage_layer)
           (check_layer propose net
             (part_certificate s.stage_domain about0 p)))
         (match p.part_claim with
          | Empty ->
            (&&) is_empty (match parts' with
                           | [] -> true
                           | _ :: _ -> false)
          | Preimage (size, _, _, _) ->
            (match size with
             | Singleton ->
               (match input with
                | Some x -> parts_ok propose net is_empty stages' x parts'
                | None -> false)
             | _ -> false)))

(** val infinite_ok :
    oracle -> network -> layer list -> domain -> point -> point -> bool ->
    through_evidence -> bool **)

let infinite_ok propose net ls k x y unbounded e =
  let n = net.network_inputs in
  (&&) (contains k x)
    (match e with
     | Parts parts ->
       (match parts with
        | [] -> false
        | p :: l ->
          (match l with
           | [] ->
             (&&)
               ((&&) ((=) p.part_layer (Stdlib.Int.succ 0))
                 (check_layer propose net
                   (part_certificate k (LayerInput x) p)))
               (match p.part_claim with
                | Empty -> false
                | Preimage (size, _, _, _) ->
                  (match size with
                   | Singleton -> false
                   | Unbounded -> true
                   | _ -> negb unbounded))
           | _ :: _ -> false))
     | SecondPoint x' ->
       (&&)
         ((&&) ((&&) ((&&) (negb unbounded) (point_ok n x')) (contains k x'))
           (negb (same_point x x')))
         (match value_beside ls x x' with
          | Some y' -> same_point y' y
          | None -> false)
     | Direction d ->
       (&&)
         ((&&) ((&&) (point_ok n d) (negb (is_zero d.numerators)))
           (domain_contains_direction k d))
         (match change_along ls x d with
          | Some u -> is_zero u.numerators
          | None -> false)
     | _ -> false)

(** val check_through :
    oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
    list)*Big_int_Z.big_int) -> network -> through_certificate -> bool **)

let check_through propose reduce net c =
  let k = c.through_on in
  (&&) ((&&) (network_ok net) (domain_ok net.network_inputs k))
    (match split_layers net c.last_layer with
     | Some p ->
       let before,l = p in
       let ls = tapp before (l :: []) in
       let given0 =
         match c.through_about with
         | InputOf x -> Some x
         | OutputOf _ -> None
       in
       let y =
         match c.through_about with
         | InputOf x -> value_through ls x
         | OutputOf y -> y
       in
       let stages = stages_onto (Stdlib.Int.succ 0) k given0 ls [] in
       let of_cases = fun k0 t ->
         cases_ok propose reduce net.network_inputs before l k y k0 t
       in
       let one_or_none = fun is_empty ->
         match c.through_proved_by with
         | Parts parts -> parts_ok propose net is_empty stages y parts
         | Cases t -> of_cases (if is_empty then 0 else Stdlib.Int.succ 0) t
         | _ -> false
       in
       let infinite = fun unbounded ->
         match given0 with
         | Some x ->
           (match c.through_proved_by with
            | StartingAt (x0, e) ->
              (&&)
                ((&&)
                  ((&&)
                    (negb
                      (match given0 with
                       | Some x1 -> contains k x1
                       | None -> false)) (point_ok net.network_inputs x0))
                  (same_point (value_through ls x0) y))
                (infinite_ok propose net ls k x0 y unbounded e)
            | x0 -> infinite_ok propose net ls k x y unbounded x0)
         | None ->
           (match c.through_proved_by with
            | StartingAt (x, e) ->
              (&&)
                ((&&)
                  ((&&)
                    (negb
                      (match given0 with
                       | Some x0 -> contains k x0
                       | None -> false)) (point_ok net.network_inputs x))
                  (same_point (value_through ls x) y))
                (infinite_ok propose net ls k x y unbounded e)
            | _ -> false)
       in
       (&&)
         (match given0 with
          | Some x -> point_ok net.network_inputs x
          | None -> point_ok (size_of l.rows) y)
         (match c.through_claimed with
          | NoInput -> one_or_none true
          | Inputs (size, active) ->
            (&&)
              ((=)
                (number (tmap (Z.ltb Big_int_Z.zero_big_int) y.numerators))
                active)
              (match size with
               | Singleton -> one_or_none false
               | Bounded ->
                 (&&) (match k with
                       | Box (_, _) -> true
                       | _ -> false) (infinite false)
               | Unbounded -> infinite true
               | Infinite -> infinite false)
          | FiniteInputs (k0, active) ->
            (&&)
              ((=)
                (number (tmap (Z.ltb Big_int_Z.zero_big_int) y.numerators))
                active)
              (match c.through_proved_by with
               | Cases t -> of_cases k0 t
               | _ -> false))
     | None -> false)

type convex_domain =
| Polyhedral of domain
| Ball of Big_int_Z.big_int * Big_int_Z.big_int

type fraction = { below : Big_int_Z.big_int; above : Big_int_Z.big_int }

type layers_meant =
| LayerAlone of int * fraction
| LayersThrough of int

type collision_certificate = { collision_in : layers_meant;
                               collision_on : convex_domain;
                               first_input : point; second_input : point }

type multipliers = (int*Big_int_Z.big_int) list

type dependency = { dependent_rows : multipliers;
                    dependent_sides : multipliers }

type tree_line =
| Branch of int
| Split of int
| Spanned of relation
| Pack of int list

type spanning =
| ByRank of rank_evidence
| ByTree of Big_int_Z.big_int * tree_line list

type full_rank_evidence = { dependencies : dependency list;
                            flats : multipliers list; certain : int list;
                            spanned_by : spanning }

type window_evidence =
| ByItself of full_rank_evidence
| AsBefore of int

type window = { window_rows : int list; window_by : window_evidence }

type injectivity_evidence =
| AtOnce of full_rank_evidence
| ByWindows of window list

type injectivity_certificate = { injective_layer : int;
                                 injective_on : convex_domain;
                                 injective_lowered_by : fraction;
                                 injective_by : injectivity_evidence }

type bias_limit_certificate = { limited_layer : int;
                                limited_on : convex_domain;
                                bias_limit : fraction; common_input : 
                                point; first_direction : point;
                                second_direction : point }

type expansion_certificate = { expansive_layer : int;
                               expansive_on : convex_domain;
                               expansive_lowered_by : fraction;
                               expansion : fraction;
                               expansion_dependencies : dependency list;
                               expansion_certain : int list;
                               expansion_tree : tree_line list }

type pivot = { pivot_column : int; pivot_row : Big_int_Z.big_int list }

(** val entry_in : Big_int_Z.big_int list -> int -> Big_int_Z.big_int **)

let rec entry_in a j =
  match a with
  | [] -> Big_int_Z.zero_big_int
  | u :: a' ->
    ((fun fO fS n -> if n=0 then fO () else fS (n-1))
       (fun _ -> u)
       (fun j' -> entry_in a' j')
       j)

(** val eliminate :
    Big_int_Z.big_int -> pivot -> Big_int_Z.big_int list -> Big_int_Z.big_int
    list **)

let eliminate q p a =
  let c = entry_in a p.pivot_column in
  if Z.eqb c Big_int_Z.zero_big_int
  then a
  else tmap2 (fun u v -> Z.modulo (Z.sub u (Z.mul c v)) q) a p.pivot_row

(** val leading_entry :
    int -> Big_int_Z.big_int list -> (int*Big_int_Z.big_int) option **)

let rec leading_entry j = function
| [] -> None
| u :: a' ->
  if Z.eqb u Big_int_Z.zero_big_int
  then leading_entry (Stdlib.Int.succ j) a'
  else Some (j,u)

(** val inverse :
    oracle -> Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int
    option **)

let inverse propose q c =
  match propose.modular_inverse q ((c :: []) :: []) with
  | [] -> None
  | l :: l0 ->
    (match l with
     | [] -> None
     | u :: l1 ->
       (match l1 with
        | [] ->
          (match l0 with
           | [] ->
             if Z.eqb (Z.modulo (Z.mul u c) q) Big_int_Z.unit_big_int
             then Some u
             else None
           | _ :: _ -> None)
        | _ :: _ -> None))

(** val add_row :
    oracle -> Big_int_Z.big_int -> int -> pivot list -> Big_int_Z.big_int
    list -> pivot list **)

let add_row propose q n pivots a =
  if (||) ((=) (size_of pivots) n) (negb ((=) (size_of a) n))
  then pivots
  else let a0 =
         fold_left (fun a0 p -> eliminate q p a0) pivots
           (tmap (fun u -> Z.modulo u q) a)
       in
       (match leading_entry 0 a0 with
        | Some p ->
          let j,c = p in
          (match inverse propose q c with
           | Some u ->
             let p0 = { pivot_column = j; pivot_row =
               (tmap (fun v -> Z.modulo (Z.mul u v) q) a0) }
             in
             p0 :: (tmap (fun p' -> { pivot_column = p'.pivot_column;
                     pivot_row = (eliminate q p0 p'.pivot_row) }) pivots)
           | None -> pivots)
        | None -> pivots)

(** val has_full_rank : Big_int_Z.big_int -> int -> pivot list -> bool **)

let has_full_rank q n pivots =
  (&&) ((=) (size_of pivots) n)
    (forallb (fun j ->
      existsb (fun p ->
        (&&) ((=) p.pivot_column j) (is_unit_row q j p.pivot_row)) pivots)
      (seq 0 n))

(** val first_nonzero : Big_int_Z.big_int list -> Big_int_Z.big_int option **)

let rec first_nonzero = function
| [] -> None
| u :: v' ->
  if Z.eqb u Big_int_Z.zero_big_int then first_nonzero v' else Some u

(** val modulo_row :
    Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let rec modulo_row q w v a =
  match v with
  | [] -> []
  | t :: v' ->
    (match a with
     | [] -> []
     | c :: a' ->
       if Z.eqb t Big_int_Z.zero_big_int
       then (Z.modulo (Z.mul w c) q) :: (modulo_row q w v' a')
       else tmap2 (fun u t0 -> Z.modulo (Z.sub (Z.mul w u) (Z.mul c t0)) q)
              a' v')

(** val product_of_pivots :
    Big_int_Z.big_int -> int -> int -> Big_int_Z.big_int list list list ->
    Big_int_Z.big_int -> Big_int_Z.big_int **)

let rec product_of_pivots q left n groups product0 =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> product0)
    (fun n' ->
    (fun fO fS n -> if n=0 then fO () else fS (n-1))
      (fun _ -> Big_int_Z.zero_big_int)
      (fun left' ->
      match groups with
      | [] -> Big_int_Z.zero_big_int
      | rows0 :: groups' ->
        if Z.eqb product0 Big_int_Z.zero_big_int
        then Big_int_Z.zero_big_int
        else ((fun fO fS n -> if n=0 then fO () else fS (n-1))
                (fun _ ->
                match groups' with
                | [] ->
                  fold_left (fun p u -> Z.modulo (Z.mul p u) q)
                    (concat rows0) product0
                | _ :: _ ->
                  fold_left (fun p v ->
                    match first_nonzero v with
                    | Some w ->
                      product_of_pivots q left' n'
                        (tmap (tmap (modulo_row q w v)) groups')
                        (Z.modulo (Z.mul p w) q)
                    | None -> product_of_pivots q left' n groups' p) rows0
                    product0)
                (fun _ ->
                fold_left (fun p v ->
                  match first_nonzero v with
                  | Some w ->
                    product_of_pivots q left' n'
                      (tmap (tmap (modulo_row q w v)) groups')
                      (Z.modulo (Z.mul p w) q)
                  | None -> product_of_pivots q left' n groups' p) rows0
                  product0)
                n'))
      left)
    n

(** val every_choice_spans :
    oracle -> Big_int_Z.big_int -> int -> Big_int_Z.big_int list list list ->
    bool **)

let every_choice_spans propose q n groups =
  match inverse propose q
          (product_of_pivots q (size_of groups) n groups
            Big_int_Z.unit_big_int) with
  | Some _ -> forallb (forallb (fun a -> (=) (size_of a) n)) groups
  | None -> false

(** val convex_domain_ok : int -> convex_domain -> bool **)

let convex_domain_ok n = function
| Polyhedral k0 -> domain_ok n k0
| Ball (d, n0) ->
  (&&) (Z.ltb Big_int_Z.zero_big_int d) (Z.leb Big_int_Z.zero_big_int n0)

(** val convex_contains : convex_domain -> point -> bool **)

let convex_contains k p =
  match k with
  | Polyhedral k0 -> contains k0 p
  | Ball (d, n) ->
    Z.leb (Z.mul (Z.mul d d) (dot p.numerators p.numerators))
      (Z.mul (Z.mul n p.denominator) (Z.mul n p.denominator))

(** val nowhere_negative :
    convex_domain -> Big_int_Z.big_int list -> Big_int_Z.big_int -> bool **)

let nowhere_negative k sigma total =
  match k with
  | Polyhedral k0 ->
    (match infimum k0 sigma with
     | Some p ->
       let numerator,denominator0 = p in
       Z.leb Big_int_Z.zero_big_int
         (Z.add numerator (Z.mul total denominator0))
     | None -> false)
  | Ball (d, n) ->
    (&&) (Z.leb Big_int_Z.zero_big_int total)
      (Z.leb (Z.mul (Z.mul n n) (dot sigma sigma))
        (Z.mul (Z.mul d total) (Z.mul d total)))

(** val fraction_ok : fraction -> bool **)

let fraction_ok t =
  Z.ltb Big_int_Z.zero_big_int t.below

(** val lowered_layer_value : fraction -> layer -> point -> point **)

let lowered_layer_value t l p =
  let z0 = row_values l p in
  rectify l { denominator = (Z.mul z0.denominator t.below); numerators =
    (tmap2 (fun v b ->
      Z.sub (Z.mul v t.below)
        (if b then Z.mul t.above z0.denominator else Big_int_Z.zero_big_int))
      z0.numerators l.rectified) }

(** val collides :
    int -> convex_domain -> (point -> point) -> point -> point -> bool **)

let collides n k f x y =
  (&&)
    ((&&)
      ((&&)
        ((&&)
          ((&&) ((&&) (convex_domain_ok n k) (point_ok n x)) (point_ok n y))
          (convex_contains k x)) (convex_contains k y))
      (negb (same_point x y))) (same_point (f x) (f y))

(** val check_collision : network -> collision_certificate -> bool **)

let check_collision net c =
  (&&) (network_ok net)
    (match c.collision_in with
     | LayerAlone (number0, lowered_by) ->
       (match split_layers net number0 with
        | Some p ->
          let _,l = p in
          (&&) (fraction_ok lowered_by)
            (collides l.inputs c.collision_on
              (lowered_layer_value lowered_by l) c.first_input c.second_input)
        | None -> false)
     | LayersThrough number0 ->
       (match split_layers net number0 with
        | Some p ->
          let before,l = p in
          collides net.network_inputs c.collision_on
            (value_through (tapp before (l :: []))) c.first_input
            c.second_input
        | None -> false))

(** val chosen :
    int -> 'a1 list -> multipliers -> ('a1*Big_int_Z.big_int) list ->
    ('a1*Big_int_Z.big_int) list option **)

let rec chosen next all ms reversed =
  match ms with
  | [] -> Some (rev_append reversed [])
  | p :: ms' ->
    let j,w = p in
    (match all with
     | [] -> None
     | a :: all' ->
       if (=) j next
       then if Z.ltb Big_int_Z.zero_big_int w
            then chosen (Stdlib.Int.succ next) all' ms' ((a,w) :: reversed)
            else None
       else chosen (Stdlib.Int.succ next) all' ms reversed)

(** val numbered : 'a1 list -> int list -> 'a1 list option **)

let numbered all numbers =
  option_map (tmap fst)
    (chosen 0 all (tmap (fun j -> j,Big_int_Z.unit_big_int) numbers) [])

(** val polytope_sides :
    convex_domain -> (Big_int_Z.big_int*Big_int_Z.big_int list) list **)

let polytope_sides = function
| Polyhedral k0 -> (match k0 with
                    | Polytope sides0 -> sides0
                    | _ -> [])
| Ball (_, _) -> []

(** val dependency_holds :
    fraction -> layer -> convex_domain -> dependency -> bool **)

let dependency_holds t l k d =
  match chosen 0 (tmap2 (fun x x0 -> x,x0) l.rows l.rectified)
          d.dependent_rows [] with
  | Some terms0 ->
    (match chosen 0 (polytope_sides k) d.dependent_sides [] with
     | Some side_terms ->
       let rs = tmap (fun t0 -> fst (fst t0)) terms0 in
       let sides0 = tmap fst side_terms in
       let low = lowest_exponent rs in
       let ws =
         tmap2 (fun r w -> Z.shiftl w (Z.sub r.exponent low)) rs
           (tmap snd terms0)
       in
       let side_ws =
         tmap (Z.mul (Z.shiftl Big_int_Z.unit_big_int (Z.opp low)))
           (tmap snd side_terms)
       in
       let sigma =
         combination side_ws (tmap snd sides0)
           (combination ws (tmap (fun r -> r.coefficients) rs)
             (zeros l.inputs))
       in
       let lowered =
         Z.mul t.above (Z.shiftl (sum_abs (tmap snd terms0)) (Z.opp low))
       in
       let total =
         Z.add (dot ws (tmap (fun r -> r.constant) rs))
           (dot side_ws (tmap fst sides0))
       in
       (&&)
         ((&&) (negb ((=) (size_of terms0) 0))
           (forallb (fun t0 -> snd (fst t0)) terms0))
         (nowhere_negative k (tmap (Z.mul t.below) sigma)
           (Z.sub (Z.mul total t.below) lowered))
     | None -> false)
  | None -> false

(** val flat_sides :
    int -> convex_domain -> multipliers ->
    (Big_int_Z.big_int*Big_int_Z.big_int list) list option **)

let flat_sides n k ms =
  match chosen 0 (polytope_sides k) ms [] with
  | Some terms0 ->
    let sides0 = tmap fst terms0 in
    let ws = tmap snd terms0 in
    if (&&) (is_zero (combination ws (tmap snd sides0) (zeros n)))
         (Z.eqb (dot ws (tmap fst sides0)) Big_int_Z.zero_big_int)
    then Some sides0
    else None
  | None -> None

(** val all_flat_sides :
    int -> convex_domain -> multipliers list ->
    (Big_int_Z.big_int*Big_int_Z.big_int list) list option **)

let rec all_flat_sides n k = function
| [] -> Some []
| f :: fs' ->
  (match flat_sides n k f with
   | Some sides0 ->
     (match all_flat_sides n k fs' with
      | Some others -> Some (tapp sides0 others)
      | None -> None)
   | None -> None)

(** val leading_entries :
    Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int*Big_int_Z.big_int **)

let rec leading_entries a b =
  match a with
  | [] -> Big_int_Z.zero_big_int,Big_int_Z.zero_big_int
  | u :: a' ->
    (match b with
     | [] -> Big_int_Z.zero_big_int,Big_int_Z.zero_big_int
     | v :: b' ->
       if (&&) (Z.eqb u Big_int_Z.zero_big_int)
            (Z.eqb v Big_int_Z.zero_big_int)
       then leading_entries a' b'
       else u,v)

(** val are_multiples :
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> bool **)

let are_multiples a b =
  let u,v = leading_entries a b in
  (&&)
    (eqb (Z.eqb u Big_int_Z.zero_big_int) (Z.eqb v Big_int_Z.zero_big_int))
    (forallb (fun b0 -> b0)
      (tmap2 (fun x y -> Z.eqb (Z.mul v x) (Z.mul u y)) a b))

(** val row_numbers : dependency -> int list **)

let row_numbers d =
  tmap fst d.dependent_rows

(** val numbered_row : layer -> int -> row **)

let numbered_row l j =
  nth j l.rows { exponent = Big_int_Z.zero_big_int; constant =
    Big_int_Z.zero_big_int; coefficients = [] }

(** val numbered_entry : layer -> int -> entry **)

let numbered_entry l j =
  General (layer_general true (numbered_row l j))

(** val certain_row : layer -> dependency -> entry option **)

let certain_row l d =
  match row_numbers d with
  | [] -> None
  | j :: js ->
    if forallb (fun i ->
         are_multiples (numbered_row l j).coefficients
           (numbered_row l i).coefficients) js
    then Some (numbered_entry l j)
    else None

(** val certain_rows : layer -> dependency list -> entry list option **)

let rec certain_rows l = function
| [] -> Some []
| d :: ds' ->
  (match certain_row l d with
   | Some e ->
     (match certain_rows l ds' with
      | Some es -> Some (e :: es)
      | None -> None)
   | None -> None)

(** val fixed_columns0 : int -> convex_domain -> bool list **)

let fixed_columns0 n = function
| Polyhedral k0 ->
  (match k0 with
   | Box (lower, upper) ->
     tmap2 (fun lo hi ->
       Z.eqb (Z.mul lo upper.denominator) (Z.mul hi lower.denominator))
       lower.numerators upper.numerators
   | _ -> all_columns false n)
| Ball (_, n0) -> all_columns (Z.eqb n0 Big_int_Z.zero_big_int) n

(** val fixed_sides : int -> convex_domain -> entry list **)

let fixed_sides n k =
  sides { columns = n; general = []; lower_sides = (all_columns false n);
    upper_sides = (fixed_columns0 n k) }

(** val certain_entries :
    layer -> convex_domain -> full_rank_evidence -> entry list option **)

let certain_entries l k e =
  match numbered e.dependencies e.certain with
  | Some ds ->
    (match all_flat_sides l.inputs k e.flats with
     | Some flat ->
       (match certain_rows l ds with
        | Some es ->
          Some
            (tapp
              (tmap (fun r -> General (layer_general true r))
                (pick (tmap negb l.rectified) l.rows))
              (tapp es
                (tapp (fixed_sides l.inputs k)
                  (tmap (fun s -> General (polytope_general s)) flat))))
        | None -> None)
     | None -> None)
  | None -> None

(** val is_among : int -> int list -> bool **)

let is_among j js =
  existsb ((=) j) js

(** val all_different : int list -> bool **)

let rec all_different = function
| [] -> true
| j :: js' -> (&&) (negb (is_among j js')) (all_different js')

(** val ways : int list list -> Big_int_Z.big_int **)

let ways groups =
  fold_left (fun p js ->
    fold_left (fun sum _ -> Z.add sum p) js Big_int_Z.zero_big_int) groups
    Big_int_Z.unit_big_int

(** val most_ways : Big_int_Z.big_int **)

let most_ways =
  Z.shiftl Big_int_Z.unit_big_int (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    (Big_int_Z.mult_int_big_int 2
    ((fun x -> Big_int_Z.succ_big_int (Big_int_Z.mult_int_big_int 2 x))
    Big_int_Z.unit_big_int))))

(** val entry_row : int -> entry -> Big_int_Z.big_int list **)

let entry_row n = function
| General r -> odd_row r.normal
| Side (j, _) -> unit_at n j Big_int_Z.unit_big_int

(** val with_entry :
    oracle -> layer -> Big_int_Z.big_int -> pivot list -> entry -> pivot list **)

let with_entry propose l q =
  let n = l.inputs in
  (fun pivots e -> add_row propose q n pivots (entry_row n e))

(** val pack_spans :
    oracle -> layer -> Big_int_Z.big_int -> pivot list -> int list list ->
    bool **)

let pack_spans propose l q =
  let n = l.inputs in
  (fun pivots js ->
  let modulo0 = fun a -> tmap (fun u -> Z.modulo u q) a in
  every_choice_spans propose q n
    (tapp (tmap (fun p -> p.pivot_row :: []) pivots)
      (tmap (tmap (fun j -> modulo0 (entry_row n (numbered_entry l j)))) js)))

(** val check_node :
    oracle -> layer -> Big_int_Z.big_int -> int list list -> int -> int list
    -> entry list -> pivot list -> tree_line list -> tree_line list option **)

let check_node propose l q groups =
  let n = l.inputs in
  let rec check_node0 depth outside inside pivots lines =
    if has_full_rank q n pivots
    then Some lines
    else ((fun fO fS n -> if n=0 then fO () else fS (n-1))
            (fun _ -> None)
            (fun depth' ->
            match lines with
            | [] -> None
            | line :: lines0 ->
              let within = fun outside0 j lines1 ->
                let e = numbered_entry l j in
                check_node0 depth' outside0 (e :: inside)
                  (with_entry propose l q pivots e) lines1
              in
              let free = filter (fun j -> negb (is_among j outside)) in
              (match line with
               | Branch d ->
                 (match nth_error groups d with
                  | Some js ->
                    let rec children outside0 js0 lines1 =
                      match js0 with
                      | [] -> Some lines1
                      | j :: js' ->
                        (match within outside0 j lines1 with
                         | Some rest -> children (j :: outside0) js' rest
                         | None -> None)
                    in children outside (free js) lines0
                  | None -> None)
               | Split j ->
                 if Nat.ltb j (size_of l.rows)
                 then (match check_node0 depth' (j :: outside) inside pivots
                               lines0 with
                       | Some rest -> within outside j rest
                       | None -> None)
                 else None
               | Spanned r ->
                 if (&&) (is_among r.related outside)
                      (relation_holds n (tmap (fun _ -> true) inside)
                        (rev_append inside []) r.related
                        (numbered_entry l r.related) r)
                 then Some lines0
                 else None
               | Pack ds ->
                 (match numbered groups ds with
                  | Some gs ->
                    let gs0 = tmap free gs in
                    if (&&)
                         ((&&) (all_different (concat gs0))
                           (Z.leb (ways gs0) most_ways))
                         (pack_spans propose l q pivots gs0)
                    then Some lines0
                    else None
                  | None -> None)))
            depth)
  in check_node0

(** val check_tree :
    oracle -> layer -> Big_int_Z.big_int -> int list list -> entry list ->
    tree_line list -> bool **)

let check_tree propose l q groups inside lines =
  match check_node propose l q groups (size_of lines) []
          (rev_append inside [])
          (fold_left (with_entry propose l q) inside []) lines with
  | Some l0 -> (match l0 with
                | [] -> true
                | _ :: _ -> false)
  | None -> false

(** val layer_is_injective :
    oracle -> fraction -> layer -> convex_domain -> full_rank_evidence -> bool **)

let layer_is_injective propose t l k e =
  (&&) (forallb (dependency_holds t l k) e.dependencies)
    (match certain_entries l k e with
     | Some es ->
       (match e.spanned_by with
        | ByRank r ->
          (&&)
            ((&&) ((=) r.rank_value l.inputs)
              (match r.bound_above with
               | ByColumns -> true
               | _ -> false))
            (match check_rank propose l.inputs es r with
             | Some _ -> true
             | None -> false)
        | ByTree (q, lines) ->
          (&&) (Z.ltb Big_int_Z.unit_big_int q)
            (check_tree propose l q (tmap row_numbers e.dependencies) es
              lines))
     | None -> false)

(** val limits : fraction -> layer -> point -> point -> point -> bool **)

let limits t l common first second =
  let same =
    tmap2 (fun u v ->
      Z.eqb (Z.mul u second.denominator) (Z.mul v first.denominator))
      first.numerators second.numerators
  in
  let low =
    tmap (fun v ->
      Z.leb (Z.mul v t.below) (Z.mul t.above common.denominator))
      common.numerators
  in
  forallb (fun b -> b) (tmap2 (||) same (tmap2 (&&) low l.rectified))

(** val check_bias_limit : network -> bias_limit_certificate -> bool **)

let check_bias_limit net c =
  (&&) (network_ok net)
    (match split_layers net c.limited_layer with
     | Some p ->
       let _,l = p in
       let good = fun p0 ->
         (&&) (point_ok l.inputs p0) (convex_contains c.limited_on p0)
       in
       (&&)
         ((&&)
           ((&&)
             ((&&)
               ((&&)
                 ((&&) (convex_domain_ok l.inputs c.limited_on)
                   (fraction_ok c.bias_limit)) (good c.common_input))
               (good c.first_direction)) (good c.second_direction))
           (negb (same_point c.first_direction c.second_direction)))
         (limits c.bias_limit l (row_values l c.common_input)
           (row_values l c.first_direction) (row_values l c.second_direction))
     | None -> false)

type sparse_row = { sparse_exponent : Big_int_Z.big_int;
                    sparse_constant : Big_int_Z.big_int;
                    row_terms : (int*Big_int_Z.big_int) list }

type sparse_layer = { sparse_inputs : int;
                      sparse_rows : (sparse_row*bool) list }

type sparse_network = { sparse_network_inputs : int;
                        sparse_layers : sparse_layer list }

(** val sparse_widths_ok : int -> sparse_layer list -> bool **)

let rec sparse_widths_ok n = function
| [] -> true
| l :: ls' ->
  (&&)
    ((&&) ((=) l.sparse_inputs n)
      (forallb (fun rb ->
        forallb (fun t -> Nat.ltb (fst t) n) (fst rb).row_terms)
        l.sparse_rows)) (sparse_widths_ok (size_of l.sparse_rows) ls')

(** val sparse_network_ok : sparse_network -> bool **)

let sparse_network_ok net =
  sparse_widths_ok net.sparse_network_inputs net.sparse_layers

(** val terms_onto :
    int -> Big_int_Z.big_int list -> (int*Big_int_Z.big_int) list ->
    (int*Big_int_Z.big_int) list **)

let rec terms_onto j a reversed =
  match a with
  | [] -> rev_append reversed []
  | v :: a' ->
    terms_onto (Stdlib.Int.succ j) a'
      (if Z.eqb v Big_int_Z.zero_big_int then reversed else (j,v) :: reversed)

(** val sparse_row_of : row -> sparse_row **)

let sparse_row_of r =
  { sparse_exponent = r.exponent; sparse_constant = r.constant; row_terms =
    (terms_onto 0 r.coefficients []) }

(** val sparse_rows_of : layer -> (sparse_row*bool) list **)

let sparse_rows_of l =
  tmap2 (fun r b -> (sparse_row_of r),b) l.rows l.rectified

(** val union_onto : int list -> int list -> int list -> int list **)

let rec union_onto a =
  let rec inner b reversed =
    match a with
    | [] -> rev_append reversed b
    | i :: a' ->
      (match b with
       | [] -> rev_append reversed a
       | j :: b' ->
         if (=) i j
         then union_onto a' b' (i :: reversed)
         else if Nat.ltb i j
              then union_onto a' b (i :: reversed)
              else inner b' (j :: reversed))
  in inner

(** val columns_read : sparse_row list -> int list **)

let columns_read rs =
  fold_left (fun cs r -> union_onto cs (tmap fst r.row_terms) []) rs []

(** val entries_onto :
    int list -> (int*Big_int_Z.big_int) list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list option **)

let rec entries_onto cs ts reversed =
  match cs with
  | [] -> (match ts with
           | [] -> Some (rev_append reversed [])
           | _ :: _ -> None)
  | c :: cs' ->
    (match ts with
     | [] -> entries_onto cs' [] (Big_int_Z.zero_big_int :: reversed)
     | p :: ts' ->
       let j,v = p in
       if (=) c j
       then entries_onto cs' ts' (v :: reversed)
       else entries_onto cs' ts (Big_int_Z.zero_big_int :: reversed))

(** val rows_at : int list -> sparse_row list -> row list option **)

let rec rows_at cs = function
| [] -> Some []
| r :: rs' ->
  (match entries_onto cs r.row_terms [] with
   | Some a ->
     (match rows_at cs rs' with
      | Some others ->
        Some ({ exponent = r.sparse_exponent; constant = r.sparse_constant;
          coefficients = a } :: others)
      | None -> None)
   | None -> None)

(** val unit_rows : bool list -> row list **)

let unit_rows marks =
  let n = size_of marks in
  tmap (fun j -> { exponent = Big_int_Z.zero_big_int; constant =
    Big_int_Z.zero_big_int; coefficients =
    (unit_at n j Big_int_Z.unit_big_int) }) (pick marks (seq 0 n))

(** val part_of_point : int list -> point -> point option **)

let part_of_point cs p =
  option_map (fun x -> { denominator = p.denominator; numerators = x })
    (numbered p.numerators cs)

(** val part_of_domain : int list -> domain -> domain option **)

let part_of_domain cs = function
| Box (lower, upper) ->
  (match part_of_point cs lower with
   | Some lo ->
     (match part_of_point cs upper with
      | Some hi -> Some (Box (lo, hi))
      | None -> None)
   | None -> None)
| Polytope _ -> None
| x -> Some x

(** val same_list : ('a1 -> 'a1 -> bool) -> 'a1 list -> 'a1 list -> bool **)

let rec same_list same l m =
  match l with
  | [] -> (match m with
           | [] -> true
           | _ :: _ -> false)
  | a :: l' ->
    (match m with
     | [] -> false
     | b :: m' -> (&&) (same a b) (same_list same l' m'))

(** val same_row : row -> row -> bool **)

let same_row r s =
  (&&) ((&&) (Z.eqb r.exponent s.exponent) (Z.eqb r.constant s.constant))
    (same_list Z.eqb r.coefficients s.coefficients)

(** val same_layer : layer -> layer -> bool **)

let same_layer l m =
  (&&) ((&&) ((=) l.inputs m.inputs) (same_list same_row l.rows m.rows))
    (same_list eqb l.rectified m.rectified)

(** val same_numbers : point -> point -> bool **)

let same_numbers p q =
  (&&) (Z.eqb p.denominator q.denominator)
    (same_list Z.eqb p.numerators q.numerators)

(** val same_domain : domain -> domain -> bool **)

let same_domain k l =
  match k with
  | AllSpace -> (match l with
                 | AllSpace -> true
                 | _ -> false)
  | Orthant -> (match l with
                | Orthant -> true
                | _ -> false)
  | Box (lower, upper) ->
    (match l with
     | Box (lower', upper') ->
       (&&) (same_numbers lower lower') (same_numbers upper upper')
     | _ -> false)
  | Polytope _ -> false

(** val mark_from : int -> int list -> bool list -> bool list **)

let rec mark_from next cs marks = match marks with
| [] -> marks
| b :: marks' ->
  (match cs with
   | [] -> marks
   | c :: cs' ->
     if (=) c next
     then true :: (mark_from (Stdlib.Int.succ next) cs' marks')
     else b :: (mark_from (Stdlib.Int.succ next) cs marks'))

(** val question :
    domain -> bool list -> (sparse_row*bool) list -> bool list -> window ->
    (int list*(layer*domain)) option **)

let question k fixed all_rows read w =
  match numbered all_rows w.window_rows with
  | Some rs ->
    let cs = columns_read (tmap fst rs) in
    (match rows_at cs (tmap fst rs) with
     | Some own ->
       (match numbered read cs with
        | Some before ->
          (match numbered fixed cs with
           | Some one_value ->
             (match part_of_domain cs k with
              | Some part0 ->
                let units =
                  unit_rows
                    (tmap2 (fun b c -> (&&) b (negb c)) before one_value)
                in
                Some (cs,({ inputs = (size_of cs); rows = (tapp own units);
                rectified =
                (tapp (tmap snd rs) (tmap (fun _ -> false) units)) },part0))
              | None -> None)
           | None -> None)
        | None -> None)
     | None -> None)
  | None -> None

(** val windows_from :
    oracle -> fraction -> domain -> bool list -> (sparse_row*bool) list ->
    int -> bool list -> (int*(layer*domain)) list -> window list -> bool **)

let rec windows_from propose t k fixed all_rows number0 read proved = function
| [] -> forallb (fun b -> b) (tmap2 (||) read fixed)
| w :: ws' ->
  (match question k fixed all_rows read w with
   | Some p ->
     let cs,p0 = p in
     let l,part0 = p0 in
     let read' = mark_from 0 cs read in
     (match w.window_by with
      | ByItself e ->
        (&&) (layer_is_injective propose t l (Polyhedral part0) e)
          (windows_from propose t k fixed all_rows (Stdlib.Int.succ number0)
            read' ((number0,(l,part0)) :: proved) ws')
      | AsBefore earlier ->
        (&&)
          (existsb (fun p1 ->
            (&&) ((&&) ((=) (fst p1) earlier) (same_layer (fst (snd p1)) l))
              (same_domain (snd (snd p1)) part0)) proved)
          (windows_from propose t k fixed all_rows (Stdlib.Int.succ number0)
            read' proved ws'))
   | None -> false)

(** val windows_ok :
    oracle -> fraction -> int -> (sparse_row*bool) list -> convex_domain ->
    window list -> bool **)

let windows_ok propose t n all_rows k ws =
  match k with
  | Polyhedral k' ->
    (match k' with
     | Polytope _ -> false
     | _ ->
       windows_from propose t k' (fixed_columns0 n k) all_rows 0
         (all_columns false n) [] ws)
  | Ball (_, _) -> false

(** val injective_by_evidence :
    oracle -> fraction -> layer -> convex_domain -> injectivity_evidence ->
    bool **)

let injective_by_evidence propose t l k = function
| AtOnce e0 -> layer_is_injective propose t l k e0
| ByWindows ws -> windows_ok propose t l.inputs (sparse_rows_of l) k ws

(** val check_injective :
    oracle -> network -> injectivity_certificate -> bool **)

let check_injective propose net c =
  (&&) (network_ok net)
    (match split_layers net c.injective_layer with
     | Some p ->
       let _,l = p in
       (&&)
         ((&&) (convex_domain_ok l.inputs c.injective_on)
           (fraction_ok c.injective_lowered_by))
         (injective_by_evidence propose c.injective_lowered_by l
           c.injective_on c.injective_by)
     | None -> false)

(** val check_sparse_injective :
    oracle -> sparse_network -> injectivity_certificate -> bool **)

let check_sparse_injective propose net c =
  (&&) (sparse_network_ok net)
    ((fun fO fS n -> if n=0 then fO () else fS (n-1))
       (fun _ -> false)
       (fun number0 ->
       match nth_error net.sparse_layers number0 with
       | Some l ->
         (match c.injective_by with
          | AtOnce _ -> false
          | ByWindows ws ->
            (&&)
              ((&&) (convex_domain_ok l.sparse_inputs c.injective_on)
                (fraction_ok c.injective_lowered_by))
              (windows_ok propose c.injective_lowered_by l.sparse_inputs
                l.sparse_rows c.injective_on ws))
       | None -> false)
       c.injective_layer)

type symmetric = Big_int_Z.big_int list list

(** val add_square :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> symmetric -> symmetric **)

let rec add_square f a m =
  match a with
  | [] -> m
  | u :: a' ->
    (match m with
     | [] -> m
     | r :: m' ->
       (tmap2 (fun v x -> Z.add x (Z.mul (Z.mul f u) v)) a r) :: (add_square
                                                                   f a' m'))

(** val scaled : Big_int_Z.big_int -> symmetric -> symmetric **)

let scaled f m =
  tmap (tmap (Z.mul f)) m

(** val diagonal : Big_int_Z.big_int -> int -> symmetric **)

let rec diagonal f n =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> [])
    (fun n' -> (f :: (zeros n')) :: (diagonal f n'))
    n

(** val without_factor : Big_int_Z.big_int -> symmetric -> symmetric **)

let without_factor f m =
  let quotient0 = tmap (tmap (fun x -> Z.div x f)) m in
  if forallb (fun b -> b)
       (tmap2 (fun r r' ->
         forallb (fun b -> b) (tmap2 (fun x y -> Z.eqb x (Z.mul f y)) r r'))
         m quotient0)
  then quotient0
  else m

(** val semidefinite : int -> Big_int_Z.big_int -> symmetric -> bool **)

let rec semidefinite size before m =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> match m with
              | [] -> true
              | _ :: _ -> false)
    (fun size' ->
    match m with
    | [] -> true
    | l :: m' ->
      (match l with
       | [] -> false
       | p :: r ->
         if Z.eqb p Big_int_Z.zero_big_int
         then (&&) (is_zero r) (semidefinite size' before m')
         else (&&) (Z.ltb Big_int_Z.zero_big_int p)
                (semidefinite size' p
                  (without_factor before
                    (add_square (Big_int_Z.minus_big_int
                      Big_int_Z.unit_big_int) r (scaled p m'))))))
    size

(** val free_row : layer -> convex_domain -> int -> Big_int_Z.big_int list **)

let free_row l k =
  let n = l.inputs in
  let free = tmap negb (fixed_columns0 n k) in
  let low = lowest_exponent l.rows in
  (fun j ->
  let r = numbered_row l j in
  tmap (fun u -> Z.shiftl u (Z.sub r.exponent low)) (pick free r.coefficients))

(** val no_rows : layer -> convex_domain -> fraction -> symmetric **)

let no_rows l k bound =
  let n = l.inputs in
  let free = tmap negb (fixed_columns0 n k) in
  let low = lowest_exponent l.rows in
  diagonal
    (Z.opp
      (Z.shiftl bound.above
        (Z.mul (Big_int_Z.minus_big_int (Big_int_Z.mult_int_big_int 2
          Big_int_Z.unit_big_int)) low))) (number free)

(** val closes : symmetric -> bool **)

let closes matrix =
  semidefinite (size_of matrix) Big_int_Z.unit_big_int matrix

(** val with_square :
    fraction -> Big_int_Z.big_int list -> symmetric -> symmetric **)

let with_square bound a matrix =
  add_square bound.below a matrix

type cases = int list*symmetric

(** val with_row :
    layer -> convex_domain -> fraction -> int -> cases -> cases **)

let with_row l k bound j a = match a with
| inside,matrix ->
  if is_among j inside
  then a
  else (j :: inside),(with_square bound (free_row l k j) matrix)

(** val with_rows :
    layer -> convex_domain -> fraction -> int list -> cases -> cases **)

let with_rows l k bound js a =
  fold_left (fun a0 j -> with_row l k bound j a0) js a

(** val shorter :
    Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int list **)

let shorter a b =
  if Z.leb (dot a a) (dot b b) then a else b

(** val with_shortest :
    layer -> convex_domain -> fraction -> int list -> cases -> cases option **)

let with_shortest l k bound js a =
  match js with
  | [] -> None
  | j :: js' ->
    let shortest =
      fold_left (fun a0 i -> shorter a0 (free_row l k i)) js' (free_row l k j)
    in
    if forallb (fun i ->
         (&&)
           ((&&) (negb (is_among i (fst a)))
             (are_multiples shortest (free_row l k i)))
           (Z.leb (dot shortest shortest)
             (dot (free_row l k i) (free_row l k i)))) js
    then Some ((tapp js (fst a)),(with_square bound shortest (snd a)))
    else None

(** val with_all_shortest :
    layer -> convex_domain -> fraction -> int list list -> cases -> cases
    option **)

let rec with_all_shortest l k bound jss a =
  match jss with
  | [] -> Some a
  | js :: jss' ->
    (match with_shortest l k bound js a with
     | Some a' -> with_all_shortest l k bound jss' a'
     | None -> None)

(** val every_choice_closes :
    layer -> convex_domain -> fraction -> int list list -> cases -> bool **)

let rec every_choice_closes l k bound jss a =
  match jss with
  | [] -> closes (snd a)
  | js :: jss' ->
    forallb (fun j ->
      every_choice_closes l k bound jss' (with_row l k bound j a)) js

(** val check_case :
    layer -> convex_domain -> fraction -> int list list -> int -> int list ->
    cases -> tree_line list -> tree_line list option **)

let rec check_case l k bound groups depth outside a lines =
  if closes (snd a)
  then Some lines
  else ((fun fO fS n -> if n=0 then fO () else fS (n-1))
          (fun _ -> None)
          (fun depth' ->
          match lines with
          | [] -> None
          | line :: lines0 ->
            let free_of = filter (fun j -> negb (is_among j outside)) in
            (match line with
             | Branch d ->
               (match nth_error groups d with
                | Some js ->
                  let rec children outside0 js0 lines1 =
                    match js0 with
                    | [] -> Some lines1
                    | j :: js' ->
                      (match check_case l k bound groups depth' outside0
                               (with_row l k bound j a) lines1 with
                       | Some rest -> children (j :: outside0) js' rest
                       | None -> None)
                  in children outside (free_of js) lines0
                | None -> None)
             | Split j ->
               if Nat.ltb j (size_of l.rows)
               then (match check_case l k bound groups depth' (j :: outside)
                             a lines0 with
                     | Some rest ->
                       check_case l k bound groups depth' outside
                         (with_row l k bound j a) rest
                     | None -> None)
               else None
             | Spanned _ -> None
             | Pack ds ->
               (match numbered groups ds with
                | Some gs ->
                  let gs0 = tmap free_of gs in
                  if (&&)
                       ((&&) (all_different (concat gs0))
                         (Z.leb (ways gs0) most_ways))
                       (every_choice_closes l k bound gs0 a)
                  then Some lines0
                  else None
                | None -> None)))
          depth)

(** val unrectified_rows : layer -> int list **)

let unrectified_rows l =
  pick (tmap negb l.rectified) (seq 0 (size_of l.rows))

(** val bounded_below :
    layer -> convex_domain -> fraction -> int list list -> int list list ->
    tree_line list -> bool **)

let bounded_below l k bound groups certain0 lines =
  match with_all_shortest l k bound certain0
          (with_rows l k bound (unrectified_rows l) ([],(no_rows l k bound))) with
  | Some a ->
    (match check_case l k bound groups (size_of lines) [] a lines with
     | Some l0 -> (match l0 with
                   | [] -> true
                   | _ :: _ -> false)
     | None -> false)
  | None -> false

(** val layer_expands : layer -> expansion_certificate -> bool **)

let layer_expands l c =
  let k = c.expansive_on in
  (&&)
    (forallb (dependency_holds c.expansive_lowered_by l k)
      c.expansion_dependencies)
    (match numbered c.expansion_dependencies c.expansion_certain with
     | Some ds ->
       (match certain_rows l ds with
        | Some _ ->
          bounded_below l k c.expansion
            (tmap row_numbers c.expansion_dependencies) (tmap row_numbers ds)
            c.expansion_tree
        | None -> false)
     | None -> false)

(** val check_expansion : network -> expansion_certificate -> bool **)

let check_expansion net c =
  (&&) (network_ok net)
    (match split_layers net c.expansive_layer with
     | Some p ->
       let _,l = p in
       (&&)
         ((&&)
           ((&&)
             ((&&) (convex_domain_ok l.inputs c.expansive_on)
               (fraction_ok c.expansive_lowered_by))
             (fraction_ok c.expansion))
           (Z.ltb Big_int_Z.zero_big_int c.expansion.above))
         (layer_expands l c)
     | None -> false)

type layer_inputs =
| AllVectors
| TheDomain
| NonNegative
| IntervalImage

type layer_stage = { stage_inputs : layer_inputs;
                     stage_by : injectivity_evidence }

type network_evidence =
| ByStages of layer_stage list
| BySkips of int list * (int*Big_int_Z.big_int list list) list
| ByMatrix of Big_int_Z.big_int list list * region_tree
| ByOrientation of point * region_tree

type network_injectivity_certificate = { network_layers : int;
                                         network_on : convex_domain;
                                         network_by : network_evidence }

type carried = { form_carried : Big_int_Z.big_int list;
                 bound_of_rest : Big_int_Z.big_int }

(** val after_relu : bool -> carried -> carried **)

let after_relu relu c =
  if relu
  then { form_carried = []; bound_of_rest =
         (Z.add c.bound_of_rest (sum_abs c.form_carried)) }
  else c

(** val carried_by_row : carried list option -> row -> carried **)

let carried_by_row before r =
  match before with
  | Some cs ->
    { form_carried =
      (combination r.coefficients (tmap (fun c -> c.form_carried) cs) []);
      bound_of_rest =
      (dot (tmap Z.abs r.coefficients) (tmap (fun c -> c.bound_of_rest) cs)) }
  | None ->
    { form_carried = r.coefficients; bound_of_rest = Big_int_Z.zero_big_int }

(** val shifted : Big_int_Z.big_int -> carried -> carried **)

let shifted e c =
  { form_carried = (tmap (fun u -> Z.shiftl u e) c.form_carried);
    bound_of_rest = (Z.shiftl c.bound_of_rest e) }

(** val carried_by_layer : carried list option -> layer -> carried list **)

let carried_by_layer before l =
  let low = lowest_exponent l.rows in
  tmap2 (fun r relu ->
    after_relu relu (shifted (Z.sub r.exponent low) (carried_by_row before r)))
    l.rows l.rectified

(** val outweighs : carried -> int option **)

let outweighs c =
  match leading_entry 0 c.form_carried with
  | Some p ->
    let j,u = p in
    if (&&) (Z.eqb (sum_abs c.form_carried) (Z.abs u))
         (Z.ltb c.bound_of_rest (Z.abs u))
    then Some j
    else None
  | None -> None

(** val keeps_apart : int -> carried list -> bool **)

let keeps_apart n cs =
  let found = tmap outweighs cs in
  (&&) ((=) (size_of cs) n)
    (forallb (fun j ->
      existsb (fun o -> match o with
                        | Some i -> (=) i j
                        | None -> false) found) (seq 0 n))

(** val singles_out :
    carried list -> Big_int_Z.big_int list -> int -> bool **)

let singles_out cs multipliers0 j =
  let l = combination multipliers0 (tmap (fun c -> c.form_carried) cs) [] in
  Z.ltb
    (Z.add (sum_abs l)
      (dot (tmap Z.abs multipliers0) (tmap (fun c -> c.bound_of_rest) cs)))
    (Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int)
      (nth j l Big_int_Z.zero_big_int))

(** val inverts :
    int -> carried list -> Big_int_Z.big_int list list -> bool **)

let inverts n cs inverse0 =
  (&&) ((&&) ((=) (size_of cs) n) ((=) (size_of inverse0) n))
    (forallb (fun b -> b) (tmap2 (singles_out cs) inverse0 (seq 0 n)))

(** val blocks_ok :
    int -> int -> int list -> (int*Big_int_Z.big_int list list) list ->
    carried list option -> layer list -> bool **)

let rec blocks_ok n number0 ends inverses before = function
| [] ->
  (match ends with
   | [] ->
     (match before with
      | Some _ -> false
      | None -> (match inverses with
                 | [] -> true
                 | _ :: _ -> false))
   | _ :: _ -> false)
| l :: ls' ->
  (match ends with
   | [] -> false
   | last :: ends' ->
     let cs = carried_by_layer before l in
     if (=) number0 last
     then (match inverses with
           | [] ->
             (&&) (keeps_apart n cs)
               (blocks_ok n (Stdlib.Int.succ number0) ends' [] None ls')
           | p :: inverses' ->
             let block0,inverse0 = p in
             if (=) block0 last
             then (&&) (inverts n cs inverse0)
                    (blocks_ok n (Stdlib.Int.succ number0) ends' inverses'
                      None ls')
             else (&&) (keeps_apart n cs)
                    (blocks_ok n (Stdlib.Int.succ number0) ends' inverses
                      None ls'))
     else blocks_ok n (Stdlib.Int.succ number0) ends inverses (Some cs) ls')

type quotient = Big_int_Z.big_int*Big_int_Z.big_int

type interval = quotient option*quotient option

(** val add_quotients : quotient -> quotient -> quotient **)

let add_quotients u v =
  let a,b = u in
  let c,d = v in
  let q = Z.div b d in
  if Z.eqb (Z.mul q d) b
  then (Z.add a (Z.mul c q)),b
  else (Z.add (Z.mul a d) (Z.mul c b)),(Z.mul b d)

(** val less : quotient -> quotient -> bool **)

let less u v =
  Z.ltb (Z.mul (fst u) (snd v)) (Z.mul (fst v) (snd u))

(** val times : Big_int_Z.big_int -> quotient -> quotient **)

let times c u =
  (Z.mul c (fst u)),(snd u)

(** val least :
    quotient -> Big_int_Z.big_int list -> interval list -> quotient option **)

let rec least sum a ends =
  match a with
  | [] -> Some sum
  | c :: a' ->
    (match ends with
     | [] -> None
     | i :: ends' ->
       let low,high = i in
       if Z.eqb c Big_int_Z.zero_big_int
       then least sum a' ends'
       else (match if Z.ltb Big_int_Z.zero_big_int c then low else high with
             | Some u -> least (add_quotients sum (times c u)) a' ends'
             | None -> None))

(** val least_of_row :
    Big_int_Z.big_int -> interval list -> row -> quotient option **)

let least_of_row sign ends r =
  option_map (fun u ->
    (Z.mul (fst u) (up r.exponent)),(Z.mul (snd u) (down r.exponent)))
    (least ((Z.mul sign r.constant),Big_int_Z.unit_big_int)
      (tmap (Z.mul sign) r.coefficients) ends)

(** val zero : quotient **)

let zero =
  Big_int_Z.zero_big_int,Big_int_Z.unit_big_int

(** val at_least_zero : quotient -> quotient **)

let at_least_zero u =
  if less u zero then zero else u

(** val rectified_interval : bool -> interval -> interval **)

let rectified_interval relu i =
  if relu
  then (Some
         (match fst i with
          | Some u -> at_least_zero u
          | None -> zero)),(option_map at_least_zero (snd i))
  else i

(** val ends_of_layer :
    layer -> (Big_int_Z.big_int -> row -> quotient option) -> interval list **)

let ends_of_layer l of_row =
  tmap2 (fun r relu ->
    rectified_interval relu
      ((of_row Big_int_Z.unit_big_int r),(option_map
                                           (times (Big_int_Z.minus_big_int
                                             Big_int_Z.unit_big_int))
                                           (of_row (Big_int_Z.minus_big_int
                                             Big_int_Z.unit_big_int) r))))
    l.rows l.rectified

(** val ends_by_side :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> interval list **)

let rec ends_by_side b = function
| [] -> []
| c :: a' ->
  if Z.eqb c Big_int_Z.zero_big_int
  then (None,None) :: (ends_by_side b a')
  else if is_zero a'
       then (if Z.ltb Big_int_Z.zero_big_int c
             then None,(Some ((Z.opp b),c))
             else (Some (b,(Z.opp c))),None) :: (tmap (fun _ -> None,None) a')
       else []

(** val largest0 : quotient option -> quotient option -> quotient option **)

let largest0 u v =
  match u with
  | Some p ->
    (match v with
     | Some q -> Some (if less p q then q else p)
     | None -> u)
  | None -> v

(** val smallest : quotient option -> quotient option -> quotient option **)

let smallest u v =
  match u with
  | Some p ->
    (match v with
     | Some q -> Some (if less p q then p else q)
     | None -> u)
  | None -> v

(** val narrower : interval list -> interval list -> interval list **)

let rec narrower first second =
  match first with
  | [] -> (match second with
           | [] -> first
           | _ :: _ -> second)
  | i :: first' ->
    (match second with
     | [] -> first
     | j :: second' ->
       ((largest0 (fst i) (fst j)),(smallest (snd i) (snd j))) :: (narrower
                                                                    first'
                                                                    second'))

(** val ends_of : int -> domain -> interval list **)

let ends_of n = function
| AllSpace -> repeat_onto (None,None) n []
| Orthant -> repeat_onto ((Some zero),None) n []
| Box (lower, upper) ->
  tmap2 (fun l u -> (Some (l,lower.denominator)),(Some
    (u,upper.denominator))) lower.numerators upper.numerators
| Polytope sides0 ->
  fold_left (fun ends s -> narrower ends (ends_by_side (fst s) (snd s)))
    sides0 (repeat_onto (None,None) n [])

(** val ball_bits : Big_int_Z.big_int **)

let ball_bits =
  (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    (Big_int_Z.mult_int_big_int 2 (Big_int_Z.mult_int_big_int 2
    Big_int_Z.unit_big_int))))))

(** val least_on_ball :
    (Big_int_Z.big_int -> Big_int_Z.big_int) -> Big_int_Z.big_int ->
    Big_int_Z.big_int -> Big_int_Z.big_int -> row -> quotient option **)

let least_on_ball root_above d n sign r =
  let a = r.coefficients in
  let v =
    Z.shiftl (Z.mul (Z.mul n n) (dot a a))
      (Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) ball_bits)
  in
  let s = root_above v in
  if (&&) (Z.leb Big_int_Z.zero_big_int s) (Z.leb v (Z.mul s s))
  then Some
         ((Z.mul
            (Z.sub (Z.mul (Z.mul sign r.constant) (Z.shiftl d ball_bits)) s)
            (up r.exponent)),(Z.mul (Z.shiftl d ball_bits) (down r.exponent)))
  else None

type reach0 =
| InDomain of convex_domain
| InIntervals of interval list

(** val ends_after :
    (Big_int_Z.big_int -> Big_int_Z.big_int) -> reach0 -> layer -> interval
    list **)

let ends_after root_above reached l =
  ends_of_layer l
    (match reached with
     | InDomain k0 ->
       (match k0 with
        | Polyhedral k ->
          let ends = ends_of l.inputs k in
          (fun sign -> least_of_row sign ends)
        | Ball (d, n) -> least_on_ball root_above d n)
     | InIntervals ends -> (fun sign -> least_of_row sign ends))

(** val image :
    (interval list -> domain) -> int -> reach0 -> domain option **)

let image domain_of n = function
| InDomain _ -> None
| InIntervals ends ->
  let k = domain_of ends in
  if (&&) (domain_ok n k)
       (forallb (fun f ->
         match least ((hd Big_int_Z.zero_big_int f),Big_int_Z.unit_big_int)
                 (tl f) ends with
         | Some u -> Z.leb Big_int_Z.zero_big_int (fst u)
         | None -> false) (domain_rows n k))
  then Some k
  else None

(** val symmetric_part : int -> Big_int_Z.big_int list list -> symmetric **)

let rec symmetric_part size m =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> [])
    (fun size' ->
    match m with
    | [] -> []
    | l :: m' ->
      (match l with
       | [] -> []
       | p :: r ->
         ((Z.mul (Big_int_Z.mult_int_big_int 2 Big_int_Z.unit_big_int) p) :: 
           (tmap2 Z.add r (tmap (hd Big_int_Z.zero_big_int) m'))) :: 
           (symmetric_part size' (tmap tl m'))))
    size

(** val is_definite : int -> Big_int_Z.big_int -> symmetric -> bool **)

let rec is_definite size before m =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> match m with
              | [] -> true
              | _ :: _ -> false)
    (fun size' ->
    match m with
    | [] -> true
    | l :: m' ->
      (match l with
       | [] -> false
       | p :: r ->
         (&&) (Z.ltb Big_int_Z.zero_big_int p)
           (is_definite size' p
             (without_factor before
               (add_square (Big_int_Z.minus_big_int Big_int_Z.unit_big_int) r
                 (scaled p m'))))))
    size

(** val product_with :
    int -> Big_int_Z.big_int list list -> form list -> Big_int_Z.big_int list
    list **)

let product_with n weights fs =
  tmap (fun q -> combination q (tmap tl fs) (zeros n)) weights

(** val has_definite_map :
    int -> Big_int_Z.big_int list list -> layer_in_cell -> bool **)

let has_definite_map n weights s =
  is_definite n Big_int_Z.unit_big_int
    (symmetric_part n (product_with n weights (given_forms s)))

(** val definite_in :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> int -> Big_int_Z.big_int list list -> region_tree -> form list
    -> bool list list -> layer_in_cell -> bool **)

let rec definite_in propose n weights t rows0 inherited s =
  match t with
  | Cut (new0, j, kept, off, on0) ->
    let s0 = settled_in propose n rows0 new0 inherited s in
    let rows1 = pick kept rows0 in
    let passed = passed_on kept (tapp new0 inherited) in
    (match neuron_of s0 j with
     | Some p ->
       let place0,f = p in
       (&&)
         ((&&) (negb (is_zero f))
           (definite_in propose n weights off ((opposite f) :: rows1) passed
             (with_sign place0 false s0)))
         (definite_in propose n weights on0 (f :: rows1) passed
           (with_sign place0 true s0))
     | None -> false)
  | Region new0 ->
    let s0 = settled_in propose n rows0 new0 inherited s in
    (&&) (is_settled s0) (has_definite_map n weights s0)

(** val check_definite :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> int -> Big_int_Z.big_int list list -> layer list -> domain ->
    region_tree -> bool **)

let check_definite propose n weights ls k t =
  (&&) ((=) (size_of weights) n)
    (definite_in propose n weights t (first_rows n k) [] (first_layer n ls))

(** val eliminated :
    Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
    Big_int_Z.big_int list **)

let eliminated p r a =
  add_scaled (Z.opp (Z.mul (Z.sgn p) (hd Big_int_Z.zero_big_int a))) r
    (tmap (Z.mul (Z.abs p)) (tl a))

(** val pivot_row0 :
    Big_int_Z.big_int list -> Big_int_Z.big_int list list ->
    Big_int_Z.big_int list **)

let pivot_row0 a m =
  if Z.eqb (hd Big_int_Z.zero_big_int a) Big_int_Z.zero_big_int
  then (match find (fun b ->
                negb
                  (Z.eqb (hd Big_int_Z.zero_big_int b) Big_int_Z.zero_big_int))
                m with
        | Some b -> add_scaled Big_int_Z.unit_big_int b a
        | None -> a)
  else a

(** val determinant_sign :
    int -> Big_int_Z.big_int -> Big_int_Z.big_int list list ->
    Big_int_Z.big_int **)

let rec determinant_sign size before m =
  (fun fO fS n -> if n=0 then fO () else fS (n-1))
    (fun _ -> Big_int_Z.unit_big_int)
    (fun size' ->
    match m with
    | [] -> Big_int_Z.zero_big_int
    | a :: m' ->
      (match pivot_row0 a m' with
       | [] -> Big_int_Z.zero_big_int
       | p :: r ->
         if Z.eqb p Big_int_Z.zero_big_int
         then Big_int_Z.zero_big_int
         else Z.mul (Z.sgn p)
                (determinant_sign size' (Z.abs p)
                  (without_factor before (tmap (eliminated p r) m')))))
    size

type affine_piece = { piece_rows : form list; piece_unit : Big_int_Z.big_int;
                      piece_forms : form list }

(** val pieces_onto :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> int -> region_tree -> form list -> form list -> bool list list
    -> layer_in_cell -> affine_piece list -> affine_piece list option **)

let rec pieces_onto propose n t cell rows0 inherited s others =
  match t with
  | Cut (new0, j, kept, off, on0) ->
    let s0 = settled_in propose n rows0 new0 inherited s in
    let rows1 = pick kept rows0 in
    let passed = passed_on kept (tapp new0 inherited) in
    (match neuron_of s0 j with
     | Some p ->
       let place0,f = p in
       if is_zero f
       then None
       else (match pieces_onto propose n off ((opposite f) :: cell)
                     ((opposite f) :: rows1) passed
                     (with_sign place0 false s0) others with
             | Some others0 ->
               pieces_onto propose n on0 (f :: cell) (f :: rows1) passed
                 (with_sign place0 true s0) others0
             | None -> None)
     | None -> None)
  | Region new0 ->
    let s0 = settled_in propose n rows0 new0 inherited s in
    if is_settled s0
    then Some ({ piece_rows = cell; piece_unit = s0.unit_of; piece_forms =
           (given_forms s0) } :: others)
    else None

(** val form_at : point -> form -> Big_int_Z.big_int **)

let form_at x f =
  dot f (x.denominator :: x.numerators)

(** val value_of : affine_piece -> point -> point **)

let value_of q x =
  { denominator = (Z.mul q.piece_unit x.denominator); numerators =
    (tmap (form_at x) q.piece_forms) }

(** val is_inside0 : point -> affine_piece -> bool **)

let is_inside0 x q =
  forallb (fun r -> Z.ltb Big_int_Z.zero_big_int (form_at x r)) q.piece_rows

(** val sign_of : int -> affine_piece -> Big_int_Z.big_int **)

let sign_of n q =
  determinant_sign n Big_int_Z.unit_big_int (tmap tl q.piece_forms)

(** val takes_only_at :
    (affine_piece -> point -> point) -> int -> point -> point -> affine_piece
    -> bool **)

let takes_only_at solve n x0 y q =
  let x = solve q y in
  (&&)
    ((&&) ((&&) (point_ok n x) ((=) (size_of q.piece_forms) n))
      (same_point (value_of q x) y))
    ((||) (same_point x x0)
      (existsb (fun r -> Z.ltb (form_at x r) Big_int_Z.zero_big_int)
        q.piece_rows))

(** val check_orientation :
    (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int
    list)) -> (affine_piece -> point -> point) -> int -> layer list ->
    region_tree -> point -> bool **)

let check_orientation propose solve n ls t x0 =
  (&&) (point_ok n x0)
    (match pieces_onto propose n t [] [] [] (first_layer n ls) [] with
     | Some pieces ->
       let signs0 = tmap (sign_of n) pieces in
       (&&)
         ((||) (forallb (Z.eqb Big_int_Z.unit_big_int) signs0)
           (forallb (Z.eqb (Big_int_Z.minus_big_int Big_int_Z.unit_big_int))
             signs0))
         (match find (is_inside0 x0) pieces with
          | Some q ->
            forallb (takes_only_at solve n x0 (value_of q x0)) pieces
          | None -> false)
     | None -> false)

(** val set_of :
    (interval list -> domain) -> int -> convex_domain -> layer_inputs ->
    reach0 -> layer_inputs -> convex_domain option **)

let set_of domain_of n k known reached = function
| AllVectors -> Some (Polyhedral AllSpace)
| TheDomain -> (match known with
                | TheDomain -> Some k
                | _ -> None)
| NonNegative ->
  (match known with
   | NonNegative -> Some (Polyhedral Orthant)
   | _ -> None)
| IntervalImage ->
  option_map (fun x -> Polyhedral x) (image domain_of n reached)

(** val known_after : layer -> layer_inputs **)

let known_after l =
  if forallb (fun b -> b) l.rectified then NonNegative else AllVectors

(** val reached_after :
    (Big_int_Z.big_int -> Big_int_Z.big_int) -> reach0 -> layer ->
    layer_stage list -> reach0 **)

let reached_after root_above reached l stages =
  InIntervals
    (if existsb (fun s ->
          match s.stage_inputs with
          | IntervalImage -> true
          | _ -> false) stages
     then ends_after root_above reached l
     else [])

(** val not_lowered : fraction **)

let not_lowered =
  { below = Big_int_Z.unit_big_int; above = Big_int_Z.zero_big_int }

(** val stages_ok :
    oracle -> (Big_int_Z.big_int -> Big_int_Z.big_int) -> (interval list ->
    domain) -> convex_domain -> layer_inputs -> reach0 -> layer list ->
    layer_stage list -> bool **)

let rec stages_ok propose root_above domain_of k known reached ls stages =
  match ls with
  | [] -> (match stages with
           | [] -> true
           | _ :: _ -> false)
  | l :: ls' ->
    (match stages with
     | [] -> false
     | s :: stages' ->
       (match set_of domain_of l.inputs k known reached s.stage_inputs with
        | Some set ->
          (&&) (injective_by_evidence propose not_lowered l set s.stage_by)
            (stages_ok propose root_above domain_of k (known_after l)
              (reached_after root_above reached l stages') ls' stages')
        | None -> false))

(** val check_network_injective :
    oracle -> (form list list -> form ->
    int*(Big_int_Z.big_int*Big_int_Z.big_int list)) -> (affine_piece -> point
    -> point) -> (Big_int_Z.big_int -> Big_int_Z.big_int) -> (interval list
    -> domain) -> network -> network_injectivity_certificate -> bool **)

let check_network_injective propose multipliers0 solve root_above domain_of net c =
  (&&)
    ((&&) (network_ok net) (convex_domain_ok net.network_inputs c.network_on))
    (match split_layers net c.network_layers with
     | Some p ->
       let before,l = p in
       let ls = tapp before (l :: []) in
       (match c.network_by with
        | ByStages stages ->
          stages_ok propose root_above domain_of c.network_on TheDomain
            (InDomain c.network_on) ls stages
        | BySkips (ends, inverses) ->
          blocks_ok net.network_inputs 0 ends inverses None ls
        | ByMatrix (weights, cells) ->
          (match c.network_on with
           | Polyhedral k ->
             (&&)
               (forallb (fun q -> (=) (size_of q) (size_of l.rows)) weights)
               (check_definite multipliers0 net.network_inputs weights ls k
                 cells)
           | Ball (_, _) -> false)
        | ByOrientation (x0, cells) ->
          (match c.network_on with
           | Polyhedral k ->
             (match k with
              | AllSpace ->
                check_orientation multipliers0 solve net.network_inputs ls
                  cells x0
              | _ -> false)
           | Ball (_, _) -> false))
     | None -> false)
